"""Many at once: nothing is lost, torn, skipped or told twice, both ways."""

import asyncio

from support import api

WRITERS = 40


def test_writers_of_one_version(client):
    """Of forty who have read the same version one wins, and thirty-nine are told."""
    made = client.pool()
    body = api.pool() | {"resource_version": made["resource_version"]}
    requests = []
    for number in range(WRITERS):
        spec = body["spec"] | {"nodeCount": 100 + number}
        if number % 2:
            requests.append(("UpdateNodePool", body | {"spec": spec}, {"id": made["id"]}))
        else:
            tag = f'"{made["resource_version"]}"'
            requests.append(("UpdateNodePool", {"spec": spec}, {"id": made["id"], "if_match": tag}))
    replies = client.together(requests)
    winners = [reply for reply in replies if reply.status == 200]
    assert len(winners) == 1
    assert {reply.status for reply in replies[0::2]} <= {200, 412}
    assert {reply.status for reply in replies[1::2]} <= {200, 409}
    now = client.call("GetNodePool", id=made["id"]).body
    assert now == winners[0].body
    assert now["generation"] == 2
    assert [event["type"] for event in client.events()].count("nodepool.updated") == 1


def test_unconditional_writers(client):
    """Of forty who have read nothing none is lost: each change is a generation, a version and an event."""
    made = client.pool()
    requests = [("UpdateNodePool", api.pool(nodeCount=100 + number), {"id": made["id"]}) for number in range(WRITERS)]
    replies = client.together(requests)
    assert {reply.status for reply in replies} == {200}
    assert sorted(reply.body["generation"] for reply in replies) == list(range(2, WRITERS + 2))
    assert len({reply.body["resource_version"] for reply in replies}) == WRITERS
    now = client.call("GetNodePool", id=made["id"]).body
    (last,) = [reply.body for reply in replies if reply.body["generation"] == WRITERS + 1]
    assert now == last
    generations = [event["generation"] for event in client.events() if event["type"] == "nodepool.updated"]
    assert generations == list(range(2, WRITERS + 2))


def test_creations_of_one_name(client):
    """Of twenty with one name one is created, and nineteen are told."""
    cluster = client.cluster()["id"]
    replies = client.together([("CreateNodePool", api.pool(), {"cluster_id": cluster})] * 20)
    assert sorted(reply.status for reply in replies) == [201, *[409] * 19]
    assert client.call("ListNodePools").body["total"] == 1
    assert [event["type"] for event in client.events()] == ["cluster.created", "nodepool.created"]


def test_total_after_many_changes(client):
    """The total is exact after any number of changes at once."""
    cluster = client.cluster()["id"]
    made = client.together([("CreateNodePool", api.pool(name=f"p{number}"), {"cluster_id": cluster}) for number in range(20)])
    ids = [reply.body["id"] for reply in made]
    report = {"controller_name": "c", "observed_generation": 1, "conditions": [{"type": "Ready", "status": "True"}]}
    client.together(
        [
            *(("DeleteNodePool", None, {"id": id_}) for id_ in ids[:5]),
            *(("ReportNodePoolStatus", report, {"id": id_, "caller": api.CONTROLLER}) for id_ in ids[5:12]),
            *(("CreateNodePool", api.pool(name=f"q{number}"), {"cluster_id": cluster}) for number in range(5)),
        ]
    )
    for fields, expected in (
        ({}, 20),
        ({"cluster_id": cluster}, 20),
        ({"status": "Ready"}, 7),
        ({"health": "unknown", "platform": "gcp"}, 13),
    ):
        body = client.call("ListNodePools", limit=100, **fields).body
        assert (body["total"], len(body["nodepools"])) == (expected, expected), fields


def test_repeated_deletions(client):
    """Of ten who delete one node pool one does, and there is one event."""
    made = client.pool()
    replies = client.together([("DeleteNodePool", None, {"id": made["id"]})] * 10)
    assert sorted(reply.status for reply in replies) == [204, *[404] * 9]
    assert [event["type"] for event in client.events()].count("nodepool.deleted") == 1


def test_protection_while_its_cluster_goes(client):
    """Who was told that a node pool is protected has it still."""
    pools = [client.pool() for _ in range(20)]
    protected = api.pool(lifecycle={"deletionProtection": True})
    requests = []
    for pool in pools:
        requests.append(("UpdateNodePool", protected, {"id": pool["id"]}))
        requests.append(("DeleteCluster", None, {"id": pool["cluster_id"], "force": True}))
    replies = [reply.status for reply in client.together(requests)]
    assert set(zip(replies[0::2], replies[1::2], strict=True)) <= {(200, 409), (404, 202)}


def test_creations_in_a_cluster_that_goes(client):
    """While a cluster is deleted, a node pool comes into it and goes with it, or does not come: none is left behind."""
    cluster = client.cluster()["id"]
    requests = [("CreateNodePool", api.pool(name=f"p{number}"), {"cluster_id": cluster}) for number in range(16)]
    requests.insert(8, ("DeleteCluster", None, {"id": cluster, "force": True}))
    replies = client.together(requests)
    assert replies.pop(8).status == 202
    assert {reply.status for reply in replies} <= {201, 404}
    assert client.call("ListNodePools", include_deleting=True, caller=api.CONTROLLER, cluster_id=cluster).status == 404
    types = [event["type"] for event in client.events()]
    assert types.count("nodepool.created") == types.count("nodepool.deleted") == [reply.status for reply in replies].count(201)
    assert types[-1] == "cluster.deleted"


def test_swapped_names(client):
    """Two who want each other's names at once get an answer that says so, and no failure of the server."""
    first = client.pool(name="a")
    second = client.pool(cluster=first["cluster_id"], name="b")
    requests = [
        ("UpdateNodePool", {"name": "b", "spec": first["spec"]}, {"id": first["id"]}),
        ("UpdateNodePool", {"name": "a", "spec": second["spec"]}, {"id": second["id"]}),
    ]
    replies = client.together(requests * 4)
    assert {reply.status for reply in replies} <= {409, 503}


def test_readers_see_no_torn_status(client):
    """What a reader sees of a status is of one moment: phase, conditions and reports fit each other at each reading."""
    made = client.pool()

    whole, parts = [], []

    async def write():
        number = 0
        # Until both readers have seen enough of it, however slow one is to begin.
        while number < 30 or min(len(whole), len(parts)) < 10:
            status = "False" if number % 2 else "True"
            body = {"controller_name": "c", "observed_generation": 1, "conditions": [{"type": "Available", "status": status}]}
            await client.calling("ReportNodePoolStatus", body, id=made["id"], caller=api.CONTROLLER)
            number += 1

    async def read(method, seen):
        while not writing.done():
            seen.append((await client.calling(method, id=made["id"])).body)
            await asyncio.sleep(0)  # in one process nothing else need make the readers let the writer go on

    async def run():
        nonlocal writing
        writing = asyncio.ensure_future(write())
        await asyncio.gather(writing, read("GetNodePool", whole), read("GetNodePoolStatus", parts))

    writing = None
    client.server.loop.run(run())
    phases = {"True": {"Ready"}, "False": {"Degraded", "Progressing"}}
    for status in [response["status"] for response in whole + parts]:
        for condition in _available(status["conditions"]):
            assert status["phase"] in phases[condition["status"]]
    for response in parts:
        reported = [condition for controller in response["controllers"] for condition in controller["conditions"]]
        assert reported == _available(response["status"]["conditions"])


def _available(conditions):
    """Returns the conditions that the controller reports, without those that the API computes."""
    return [condition for condition in conditions if condition["type"] == "Available"]


def test_list_by_cursor_under_inserts(client):
    """Who reads page by page while others insert sees each node pool that was there at the beginning once."""
    cluster = client.cluster()["id"]
    before = {client.pool(cluster=cluster, name=f"old-{number}")["id"] for number in range(30)}

    async def insert():
        for number in range(30):
            await client.calling("CreateNodePool", api.pool(name=f"new-{number}"), cluster_id=cluster)

    async def read():
        seen, token = [], None
        while token is None or token:
            page = (await client.calling("ListNodePools", limit=3, **({"page_token": token} if token else {}))).body
            seen += [pool["id"] for pool in page["nodepools"]]
            token = page.get("next_page_token", "")
            await asyncio.sleep(0)
        return seen

    async def run():
        inserting = asyncio.ensure_future(insert())
        seen = [await read() for _ in range(2)]
        await inserting
        return seen

    for seen in client.server.loop.run(run()):
        assert len(seen) == len(set(seen))
        assert before <= set(seen)


def test_event_stream_under_writers(client):
    """Who follows the events while many write gets each once, those of a resource in the order of its changes."""
    cluster = client.cluster()["id"]
    made = [client.pool(cluster=cluster, name=f"p{number}") for number in range(4)]

    async def write(pool, counts):
        for count in counts:
            reply = await client.calling("UpdateNodePool", api.pool(name=pool["name"], nodeCount=count), id=pool["id"])
            assert reply.status == 200

    async def follow():
        seen, after = [], ""
        while True:
            ended = writing.done()
            page = (await client.calling("ListEvents", after=after, limit=7)).body
            seen += page["events"]
            after = page["next_cursor"]
            await asyncio.sleep(0)
            if ended and not page["events"]:
                return seen

    async def run():
        nonlocal writing
        writers = [write(pool, range(start * 100, start * 100 + 8)) for pool in made for start in (1, 2, 3)]
        writing = asyncio.gather(*writers)
        seen = await follow()
        await writing
        return seen

    writing = None
    seen = client.server.loop.run(run())
    assert len({event["id"] for event in seen}) == len(seen)
    for pool in made:
        generations = [
            event["generation"] for event in seen if event["resource"]["id"] == pool["id"] and event["type"] == "nodepool.updated"
        ]
        assert generations == list(range(2, client.call("GetNodePool", id=pool["id"]).body["generation"] + 1))
        assert len(generations) == 24
