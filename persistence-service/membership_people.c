/* Who comes in, who goes, and what each may. */
#include "persistence-service/membership_private.h"

#include <string.h>

static enum status transact(struct membership *m, membership_step *step,
                            struct member_act *act)
{
	uuid_make(&m->uuid);
	return membership_transact(m, step, act->actor, act);
}

/* --- in ------------------------------------------------------------------ */
static enum status come_in(struct membership *m, const char *what,
                           const uint64_t *users, unsigned count)
{
	struct change *c = &m->change;
	struct change_says says = {
		.what = what, .users = users, .user_count = count};
	enum status status = membership_check_room(m, c->member_count, count);

	if (status == ST_OK)
		status = change_enter(c, &m->uuid, &says);
	if (status == ST_OK)
		status = members_enter(c, users, count);
	if (status == ST_OK)
		status = change_tell(c, '+', users, count);
	return status == ST_OK ? change_close(c) : status;
}

static enum status may_invite(struct membership *m, void *context)
{
	return membership_open(m, context, ROLE_ADMIN);
}

enum status membership_may_invite(struct membership *m, struct member_act *act)
{
	return transact(m, may_invite, act);
}

/*
 * In how many conversations each is, is counted before the lock: that takes
 * its time, and the lock would not make it more exact.
 */
static enum status invite(struct membership *m, void *context)
{
	struct member_act *act = context;
	uint64_t users[FEW_MAX];
	unsigned count = act->user_count;
	enum status status =
		membership_check_users(m, act->conversation, act->users, count);

	memcpy(users, act->users, sizeof(users));
	if (status == ST_OK)
		status = membership_open(m, act, ROLE_ADMIN);
	if (status == ST_OK)
		status = members_missing(m->sql, act->conversation, users,
		                         &count);
	if (status == ST_OK && count)
		status = come_in(m, "invited", users, count);
	if (status != ST_OK)
		return status;
	memcpy(act->users, users, sizeof(users));
	act->user_count = count;
	return ST_OK;
}

enum status membership_invite(struct membership *m, struct member_act *act)
{
	return transact(m, invite, act);
}

static enum status join(struct membership *m, void *context)
{
	const struct member_act *act = context;
	enum status status =
		membership_check_users(m, act->conversation, &act->actor, 1);

	if (status == ST_OK)
		status = membership_open(m, act, ROLE_NONE);
	if (status != ST_OK || m->change.role != ROLE_NONE)
		return status;
	return come_in(m, "joined", &act->actor, 1);
}

enum status membership_join(struct membership *m, struct member_act *act)
{
	return transact(m, join, act);
}

/* --- out ----------------------------------------------------------------- */
static enum status go(struct membership *m, const struct change_says *says)
{
	struct change *c = &m->change;
	enum status status = change_enter(c, &m->uuid, says);

	if (status == ST_OK)
		status = member_leaves(c, *says->users);
	if (status == ST_OK)
		status = change_tell(c, '-', says->users, 1);
	return status == ST_OK ? change_close(c) : status;
}

static enum status leave_as_owner(struct membership *m, uint64_t user)
{
	uint64_t conversation = m->change.conversation;
	struct change_says says = {
		.what = "left", .users = &user, .user_count = 1};
	enum status status =
		member_successor(m->sql, conversation, user, &says.owner);

	if (status == ST_OK) {
		status = go(m, &says);
		return status == ST_OK ? member_set_role(m->sql, conversation,
		                                         says.owner, ROLE_OWNER)
		                       : status;
	}
	if (status != ST_NOT_FOUND)
		return status;
	status = go(m, &says);
	return status == ST_OK ? membership_end(m) : status;
}

static enum status leave(struct membership *m, void *context)
{
	const struct member_act *act = context;
	struct change_says says = {
		.what = "left", .users = &act->actor, .user_count = 1};
	enum status status = membership_open(m, act, ROLE_MEMBER);

	if (status != ST_OK)
		return status;
	if (m->change.role == ROLE_OWNER)
		return leave_as_owner(m, act->actor);
	return go(m, &says);
}

enum status membership_leave(struct membership *m, struct member_act *act)
{
	return transact(m, leave, act);
}

static enum status role_of_user(struct membership *m,
                                const struct member_act *act,
                                enum member_role *ret_role)
{
	enum status status =
		member_role(m->sql, act->conversation, act->user, ret_role);

	if (status == ST_OK && *ret_role == ROLE_NONE)
		return membership_refuse(m, ST_NOT_FOUND,
		                         "there is no such member");
	return status;
}

static enum status remove_user(struct membership *m, void *context)
{
	const struct member_act *act = context;
	struct change_says says = {
		.what = "removed", .users = &act->user, .user_count = 1};
	enum status status = membership_open(m, act, ROLE_ADMIN);
	enum member_role role;

	if (status == ST_OK)
		status = role_of_user(m, act, &role);
	if (status != ST_OK)
		return status;
	if (role >= m->change.role)
		return membership_refuse(m, ST_DENIED,
		                         "admins may remove members only");
	return go(m, &says);
}

enum status membership_remove(struct membership *m, struct member_act *act)
{
	if (act->user == act->actor)
		return membership_leave(m, act);
	return transact(m, remove_user, act);
}

/* --- roles --------------------------------------------------------------- */
static enum status give_role(struct membership *m, const struct member_act *act)
{
	struct change *c = &m->change;
	struct change_says says = {.what = "role",
	                           .users = &act->user,
	                           .user_count = 1,
	                           .role = act->role};
	enum status status = change_enter(c, &m->uuid, &says);

	if (status == ST_OK)
		status = member_set_role(m->sql, act->conversation, act->user,
		                         act->role);
	if (status == ST_OK && act->role == ROLE_OWNER)
		status = member_set_role(m->sql, act->conversation, act->actor,
		                         ROLE_ADMIN);
	if (status == ST_OK)
		status = change_tell(c, '=', NULL, 0);
	return status == ST_OK ? change_close(c) : status;
}

static enum status set_role(struct membership *m, void *context)
{
	const struct member_act *act = context;
	enum status status = membership_open(m, act, ROLE_OWNER);
	enum member_role role;

	if (status == ST_OK)
		status = role_of_user(m, act, &role);
	if (status != ST_OK || role == act->role)
		return status;
	if (act->user == act->actor)
		return membership_refuse(m, ST_INVALID,
		                         "an owner ceases to be one by making "
		                         "somebody else it");
	return give_role(m, act);
}

enum status membership_set_role(struct membership *m, struct member_act *act)
{
	return transact(m, set_role, act);
}
