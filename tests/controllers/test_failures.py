"""Each error of the pipeline has a class, the cloud's words and somebody who has to act."""

from __future__ import annotations

import datetime
import pathlib

import pytest

from planton import errors
from planton.controllers import failures, looks

REASON, CODE, ACTOR = errors.Reason, failures.Code, failures.Actor


def error(reason: errors.Reason, **metadata: str) -> errors.PlantonError:
    """Returns an error of the pipeline."""
    return errors.PlantonError("the cloud's own text", reason=reason, hint="do this", metadata=metadata)


@pytest.mark.parametrize(
    ("raised", "code", "actor"),
    [
        (error(REASON.CLOUD_QUOTA), CODE.QUOTA, ACTOR.USER),
        (error(REASON.CLOUD_QUOTA_REACHED), CODE.QUOTA, ACTOR.USER),
        (error(REASON.CLOUD_AUTH, status="401"), CODE.AUTHENTICATION, ACTOR.OPERATOR),
        (error(REASON.CREDENTIAL_UNKNOWN), CODE.AUTHENTICATION, ACTOR.OPERATOR),
        (error(REASON.CLOUD_AUTH, status="403"), CODE.PERMISSION, ACTOR.OPERATOR),
        (error(REASON.CLOUD_UNREACHABLE), CODE.NETWORK, ACTOR.NOBODY),
        (error(REASON.API_SERVER_CLOSED), CODE.NETWORK, ACTOR.NOBODY),
        (error(REASON.ENGINE_FAILED, lacks="capacity"), CODE.CAPACITY, ACTOR.NOBODY),
        (error(REASON.CLOUD_FAILED, status="503", lacks="capacity"), CODE.CAPACITY, ACTOR.NOBODY),
        (error(REASON.ENGINE_FAILED, lacks="quota"), CODE.QUOTA, ACTOR.USER),
        (error(REASON.NOT_OFFERED), CODE.INVALID, ACTOR.USER),
        (error(REASON.CLOUD_STUCK), CODE.TIMEOUT, ACTOR.NOBODY),
        (error(REASON.CLOUD_NAME_EXISTS), CODE.CONFLICT, ACTOR.USER),
        (error(REASON.CLOUD_NAME_TAKEN), CODE.CONFLICT, ACTOR.USER),
        (error(REASON.OWNER_UNPROVEN), CODE.CONFLICT, ACTOR.USER),
        (error(REASON.CLOUD_MISSING), CODE.INVALID, ACTOR.USER),
        (error(REASON.KIND_UNSUPPORTED), CODE.INVALID, ACTOR.USER),
        (error(REASON.STACK_LOCKED), CODE.CONFLICT, ACTOR.NOBODY),
        (error(REASON.CLOUD_FAILED, status="429"), CODE.RATE_LIMIT, ACTOR.NOBODY),
        (error(REASON.CLOUD_FAILED, status="500"), CODE.CLOUD, ACTOR.NOBODY),
        (error(REASON.API_FAILED, status="429"), CODE.RATE_LIMIT, ACTOR.NOBODY),
        (error(REASON.API_FORBIDDEN, status="403"), CODE.PERMISSION, ACTOR.OPERATOR),
        (error(REASON.API_REFUSED, status="401"), CODE.AUTHENTICATION, ACTOR.OPERATOR),
        (error(REASON.API_REFUSED, status="400"), CODE.INTERNAL, ACTOR.OPERATOR),
        (error(REASON.DEPENDENCY_FAILED), CODE.DEPENDENCY, ACTOR.NOBODY),
        (error(REASON.REPLACE_REFUSED), CODE.REPLACEMENT, ACTOR.USER),
        (ZeroDivisionError("division by zero"), CODE.INTERNAL, ACTOR.OPERATOR),
    ],
)
def test_an_error_has_a_class_and_an_actor(raised: Exception, code: failures.Code, actor: failures.Actor) -> None:
    """The status of the cloud's answer is more precise than the reason."""
    failure = failures.of(raised)
    assert (failure.code, failure.actor) == (code, actor)
    assert str(raised) in failure.message


@pytest.mark.parametrize("code", failures.Code)
def test_no_attempt_follows_within_a_second_and_pauses_are_bounded(code: failures.Code) -> None:
    """Also after many attempts."""
    failure = failures.make(code, "")
    pauses = [failure.pause(attempt) for attempt in range(1, 1000)]
    assert pauses == sorted(pauses)
    assert datetime.timedelta(seconds=1) <= pauses[0] <= pauses[-1] <= datetime.timedelta(seconds=300)


def test_a_demanded_pause_is_kept_up_to_an_hour() -> None:
    """Whatever the class of the failure has as its longest pause."""
    throttled = error(REASON.CLOUD_FAILED, status="429", retry_after="200")
    assert failures.of(throttled).pause(1) == datetime.timedelta(seconds=200)
    throttled = error(REASON.CLOUD_FAILED, status="429", retry_after="1000000")
    assert failures.of(throttled).pause(1) == datetime.timedelta(hours=1)


def test_a_rotated_credential_is_tried_within_a_minute() -> None:
    """The pause for it is short, however often it was refused."""
    assert failures.make(failures.Code.AUTHENTICATION, "").pause(100) <= datetime.timedelta(seconds=30)


def test_the_page_of_faults_has_the_pauses_and_the_actors_of_today() -> None:
    """`make matrix` writes it, which takes minutes."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference" / "controller-faults.md"
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in page.read_text("utf-8").splitlines() if "`" in line]
    _, *played = (row for row in rows if len(row) > 1)
    assert len({row[3] for row in played}) == len(played) > 10
    for _, _, reason, code, actor, tries in played:
        made = failures.make(failures.Code(code), "")
        pauses = [f"{made.pause(attempt).total_seconds():.0f} s" for attempt in (1, 30)]
        assert (reason, actor, tries) == (looks.camel(made.code), str(made.actor), ", ".join(pauses))
