/* Who comes in, who goes, and what each may. */
#include "persistence-service/rest/membership/membership_private.h"

#include <string.h>

/* --- in ------------------------------------------------------------------ */
/*
 * In how many conversations each is, is counted before the lock: that takes
 * its time, and the lock would not make it more exact.
 */
static enum status may_come(struct membership *m, const uint64_t *users,
                            unsigned count)
{
	const struct change *c = &m->change;
	enum status status = membership_check_room(m, c->member_count, count);

	if (status != ST_OK || c->claimed_seq)
		return status;
	return membership_check_users(m, c->conversation, users, count);
}

static enum status come_in(struct membership *m, const char *what,
                           const uint64_t *users, unsigned count)
{
	struct change *c = &m->change;
	struct change_says says = {
		.what = what, .users = users, .user_count = count};
	enum status status = change_enter(c, &m->uuid, &says);

	if (status == ST_OK)
		status = members_enter(c, users, count);
	if (status == ST_OK)
		status = change_tell(c, '+', users, count);
	return status == ST_OK ? change_close(c) : status;
}

static enum status look_as_admin(struct membership *m, struct member_act *act)
{
	enum status status = membership_open(m, act, ROLE_ADMIN);

	m->settled = true;
	return status;
}

enum status membership_may_invite(struct membership *m, struct member_act *act)
{
	static const struct membership_work work = {look_as_admin, NULL};

	return membership_do(m, &work, act);
}

static enum status look_at_invitation(struct membership *m,
                                      struct member_act *act)
{
	enum status status = membership_open(m, act, ROLE_ADMIN);

	memcpy(m->missing, act->users, sizeof(m->missing));
	m->missing_count = act->user_count;
	if (status == ST_OK)
		status = members_missing(m->sql, act->conversation, m->missing,
		                         &m->missing_count);
	m->settled = m->missing_count == 0;
	if (status != ST_OK || m->settled)
		return status;
	return may_come(m, m->missing, m->missing_count);
}

static enum status invite(struct membership *m, struct member_act *act)
{
	(void)act;
	return come_in(m, "invited", m->missing, m->missing_count);
}

enum status membership_invite(struct membership *m, struct member_act *act)
{
	static const struct membership_work work = {look_at_invitation, invite};
	enum status status = membership_do(m, &work, act);

	if (status != ST_OK)
		return status;
	memcpy(act->users, m->missing, sizeof(act->users));
	act->user_count = m->missing_count;
	return ST_OK;
}

static enum status look_at_joining(struct membership *m, struct member_act *act)
{
	enum status status = membership_open(m, act, ROLE_NONE);

	m->settled = m->change.role != ROLE_NONE;
	if (status != ST_OK || m->settled)
		return status;
	return may_come(m, &act->actor, 1);
}

static enum status join(struct membership *m, struct member_act *act)
{
	return come_in(m, "joined", &act->actor, 1);
}

enum status membership_join(struct membership *m, struct member_act *act)
{
	static const struct membership_work work = {look_at_joining, join};

	return membership_do(m, &work, act);
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

static enum status look_as_member(struct membership *m, struct member_act *act)
{
	return membership_open(m, act, ROLE_MEMBER);
}

static enum status leave(struct membership *m, struct member_act *act)
{
	struct change_says says = {
		.what = "left", .users = &act->actor, .user_count = 1};

	if (m->change.role == ROLE_OWNER)
		return leave_as_owner(m, act->actor);
	return go(m, &says);
}

enum status membership_leave(struct membership *m, struct member_act *act)
{
	static const struct membership_work work = {look_as_member, leave};

	return membership_do(m, &work, act);
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

static enum status look_at_removal(struct membership *m, struct member_act *act)
{
	enum status status = membership_open(m, act, ROLE_ADMIN);
	enum member_role role;

	if (status == ST_OK)
		status = role_of_user(m, act, &role);
	if (status != ST_OK || role < m->change.role)
		return status;
	return membership_refuse(m, ST_DENIED,
	                         "admins may remove members only");
}

static enum status remove_user(struct membership *m, struct member_act *act)
{
	struct change_says says = {
		.what = "removed", .users = &act->user, .user_count = 1};

	return go(m, &says);
}

enum status membership_remove(struct membership *m, struct member_act *act)
{
	static const struct membership_work work = {look_at_removal,
	                                            remove_user};

	if (act->user == act->actor)
		return membership_leave(m, act);
	return membership_do(m, &work, act);
}

/* --- roles --------------------------------------------------------------- */
static enum status look_at_role(struct membership *m, struct member_act *act)
{
	enum status status = membership_open(m, act, ROLE_OWNER);
	enum member_role role = ROLE_NONE;

	if (status == ST_OK)
		status = role_of_user(m, act, &role);
	m->settled = role == act->role;
	if (status != ST_OK || m->settled || act->user != act->actor)
		return status;
	return membership_refuse(m, ST_INVALID,
	                         "an owner ceases to be one by making somebody "
	                         "else it");
}

static enum status give_role(struct membership *m, struct member_act *act)
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

enum status membership_set_role(struct membership *m, struct member_act *act)
{
	static const struct membership_work work = {look_at_role, give_role};

	return membership_do(m, &work, act);
}
