"""The ways in: a link that works once, an invitation, a password; and nothing else."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from reviews import inviting, planning
from reviews.errors import Invalid, NotAllowed
from reviews.models import Invitation, LoginLink, Member, Role, Token, User


def test_a_login_link_signs_in_once_and_then_says_how_to_get_another(ada, command):
    link = command("login_link", "ada")["link"]
    path = "/" + link.split("/", 3)[3]
    browser = Client()
    assert browser.get(path).status_code == 302
    assert b"What waits for you" in browser.get("/").content
    again = Client().get(path)
    assert again.status_code == 410
    assert b"manage.py login_link NAME" in again.content
    assert LoginLink.objects.get().hash not in path


def test_a_newer_link_replaces_an_older_one_and_leads_only_inside(ada):
    old, new = inviting.make_login_link(ada), inviting.make_login_link(ada, next="//evil.example/")
    assert Client().get(old).status_code == 410
    assert Client().get(new)["Location"] == "/"
    assert Client().get(inviting.make_login_link(ada, next="/p/pilot"))["Location"] == "/p/pilot"


def test_nobody_signs_up_without_an_invitation(project, lea):
    path = inviting.invite(project, Role.REVIEWER, by=lea)
    browser = Client()
    assert b"asks you to join as reviewer" in browser.get(path).content
    weak = browser.post(path, {"username": "new", "password": "short"})
    assert weak.status_code == 422
    assert not User.objects.filter(username="new").exists()
    taken = browser.post(path, {"username": "LEA", "password": "a long enough phrase"})
    assert b"is taken" in taken.content
    assert (
        browser.post(path, {"username": "new", "password": "a long enough phrase"})["Location"] == "/p/pilot"
    )
    assert Member.objects.get(user__username="new").role == Role.REVIEWER
    assert Client().get(path).status_code == 410
    assert Client().get("/invitations/made-up").status_code == 410
    assert Invitation.objects.get().used_by.username == "new"


def test_someone_with_an_account_joins_with_it(project, lea, stranger):
    path = inviting.invite(project, Role.AUDITOR, by=lea)
    browser = Client()
    browser.force_login(stranger)
    assert browser.post(f"{path}/accept")["Location"] == "/p/pilot"
    assert browser.get("/p/pilot").status_code == 200


def test_too_many_wrong_passwords_lock_the_door_for_a_while(ada):
    ada.set_password("a long enough phrase")
    ada.save()
    browser = Client()
    for _ in range(10):
        answer = browser.post("/sign-in", {"username": "ada", "password": "wrong"})
    assert answer.status_code == 429
    assert (
        browser.post("/sign-in", {"username": "ada", "password": "a long enough phrase"}).status_code == 429
    )


def test_the_last_lead_stays_and_a_removed_role_takes_its_tokens_along(project, lea, ada):
    with pytest.raises(Invalid, match="keeps one lead"):
        inviting.remove_member(Member.objects.get(user=lea), by=lea)
    secret = inviting.make_token(ada, project, Role.REVIEWER, by=ada)
    assert inviting.token_of(secret)
    inviting.remove_member(Member.objects.get(user=ada), by=lea)
    assert inviting.token_of(secret) is None


def test_a_token_is_shown_once_and_only_its_hash_is_kept(ada, project):
    browser = Client()
    browser.force_login(ada)
    page = browser.post("/me", {"membership": Member.objects.get(user=ada).pk}).content.decode()
    token = Token.objects.get()
    assert token.prefix in page
    secret = page.split("<pre>")[1].split("</pre>")[0]
    assert inviting.token_of(secret) == token
    assert secret not in browser.get("/me").content.decode()
    with pytest.raises(NotAllowed):
        inviting.make_token(ada, project, Role.REVIEWER, by=User.objects.create_user("other"))
    with pytest.raises(Invalid):
        inviting.make_token(ada, project, Role.LEAD, by=ada)


def test_an_expired_login_keeps_what_was_typed_at_the_desk(leased):
    answer = Client().post(
        f"/assignments/{leased.pk}/review", {"verdict": "accept"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 401
    assert answer["HX-Retarget"] == "#alerts"
    assert b"what you wrote is still here" in answer.content


def test_commands_make_projects_members_rounds_and_say_when_they_exist(db, command):
    assert command("create_project", "new-one") == {"project": "new-one"}
    assert command("create_project", "new-one") == {"project": "new-one"}
    made = command("create_round", "r", "--project", "new-one", "--overlap", 2, "--k", 8)
    assert command("create_round", "r", "--project", "new-one") == made
    member = command("create_member", "zoe", "--project", "new-one", "--role", "lead", "--token")
    assert (member["user"], member["role"]) == ("zoe", "lead")
    assert inviting.token_of(member["token"]).role == "lead"
    for wrong in (
        ("create_project", "a b"),
        ("create_round", "x", "--project", "new-one", "--rule", "odd"),
        ("create_member", "a b", "--project", "new-one"),
        ("create_member", "a", "--project", "nowhere"),
        ("login_link", "nobody"),
    ):
        with pytest.raises(CommandError) as refused:
            call_command(*wrong)
        assert refused.value.returncode in (1, 2)
    with pytest.raises(NotAllowed):
        planning.create_project("mine", by=User.objects.get(username="zoe"))
