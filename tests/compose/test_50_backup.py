"""Backup and restore, as docs/operations.md describes them."""

from containers.project import Project
from support.api import Api, Person
from support.chat import open_socket

COUNT = 20
RESTORE_S = 900  # a bound on hanging


def say(project: Project, sender: Person, receiver: Person, count: int) -> list[dict]:
    with open_socket(project.ws_url, sender) as socket:
        return [socket.saved(socket.say(receiver.id, f"number {at}")) for at in range(count)]


def test_a_restored_backup_holds_all_data(project: Project, tmp_path) -> None:
    api = Api(project.url)
    alice, bob = api.register(), api.register()
    saved = say(project, alice, bob, COUNT)
    conversation = saved[0]["conversation"]
    before = api.all_messages(bob, conversation)

    archive = tmp_path / "backup.sql"
    archive.write_text(project.compose("exec", "-T", "mariadb", "sh", "/parley/dump").stdout)
    project.down()
    project.up("mariadb")
    project.wait_healthy("mariadb", 1)
    with open(archive) as dump:
        restoring = project.start("exec", "-T", "mariadb", "sh", "/parley/dump", "restore",
                                  stdin=dump)
        assert restoring.wait(timeout=RESTORE_S) == 0
    project.up()
    project.wait_ready()

    # The same users, tokens and messages; the next message continues the conversation.
    assert api.login(alice.name).id == alice.id
    assert api.all_messages(bob, conversation) == before and len(before) == COUNT
    more, = say(project, alice, bob, 1)
    assert (more["conversation"], more["seq"]) == (conversation, COUNT + 1)
    api.close()
