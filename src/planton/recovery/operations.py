"""Operations on one resource: plan, apply, destroy, refresh, drift, import, with their guards and their recovery."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import pathlib
import socket
import tempfile
import time
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.clouds import answers
from planton.engine import explain, locks, plans, session, stacks, states
from planton.recovery import awaiting, default_pool, guards, importing, observed, ownership
from planton.schema import kinds, references
from planton.state import history, journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from google.protobuf import message
    from pulumi.automation import events

    from planton.config import settings as engine_settings
    from planton.engine import toolchain


#: What no second try may follow: the user, the timeout or a signal ended it, somebody else is at work, or nothing can be kept.
_FINAL = (
    errors.Reason.INTERRUPTED,
    errors.Reason.CLOUD_STUCK,
    errors.Reason.STACK_LOCKED,
    errors.Reason.ENGINE_KILLED,
    errors.Reason.STATE_NOT_SAVED,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Drift:
    """How the cloud differs from what was applied to one resource.

    Attributes:
        changes: What differs; a resource that is gone is a deletion.
    """

    changes: tuple[plans.Change, ...]


#: How long the engine of a killed command may take to end by itself.
_ENGINE_END_SECONDS = 30.0
_POLL_SECONDS = 0.2
#: Actions after which the cluster has a new default pool.
_NEW = (plans.Action.CREATE, plans.Action.REPLACE, plans.Action.IMPORT)


class Operations:
    """The operations on the stack of one stack input."""

    def __init__(
        self,
        stack_input: Any,  # a StackInput of any kind
        settings: engine_settings.Settings,
        tools: toolchain.Toolchain,
        *,
        origin: str = "",
    ) -> None:
        """Opens nothing yet.

        Args:
            stack_input: The manifest with references resolved, and the account.
            settings: The run's settings.
            tools: The command line to use.
            origin: The name of the folder that the manifest came from.

        Attributes:
            on_event: Receives the engine's events, for progress; None for none.
            lists: The lists of the cloud from before the requests of a run; None to fetch them.
            patience: The clock and the sleep for waits.
        """
        self._input: Any = stack_input
        self.on_event: Callable[[events.EngineEvent], None] | None = None
        self.patience = awaiting.Patience()
        self._settings = settings
        self._tools = tools
        self._origin = origin
        self.name = stacks.name_of(self._input.target)
        self.lists: observed.Lists | None = None
        self._suspects: dict[str, journal.Creation] = {}
        self._resumed: journal.Record | None = None
        self._planned: plans.Plan | None = None
        self._journal = journal.Journal(settings.data, settings.backend_url, self.name)
        self._session = self._open()

    def _open(self, imports: Mapping[str, str] | None = None) -> session.Session:
        return session.Session(self.name, self._input, self._settings, self._tools, imports=imports, origin=self._origin)

    @property
    def _cloud(self) -> clouds.Cloud:
        return clouds.of(self._input.provider_config, references.own_region(self._input.target))

    @property
    def stack_input(self) -> message.Message:
        """The manifest with references resolved, and the account."""
        given: message.Message = self._input
        return given

    @property
    def target(self) -> message.Message:
        """The manifest, references resolved."""
        target: message.Message = self._input.target
        return target

    def plan(self, *, aside: bool = False, refresh: bool = False) -> plans.Plan:
        """Returns what an apply would do.

        Args:
            aside: Whether no apply follows, so that no new stack may be created.
            refresh: Whether to read the cloud first, into a copy of the state: a plan changes no state.

        Raises:
            PlantonError: The module refuses the manifest, or the plan cannot be made.
        """
        try:
            with self._copy() if refresh else contextlib.nullcontext() as before:
                if before is not None:
                    self._refresh()
                with self._aside() if aside and not refresh else contextlib.nullcontext(self._session) as opened:
                    plan = self._with_default_pool(opened.preview(self.on_event).plan)
                gone = [] if before is None else guards.dropped(before, self._session.export())
        except errors.PlantonError as error:
            self._list_names(error)
            raise
        self._planned = dataclasses.replace(plan, missing=frozenset(each["urn"] for each in gone), is_refreshed=refresh)
        return self._planned

    def is_changed(self, lists: observed.Lists) -> bool:
        """Returns whether the lists of the cloud differ from the state, so that a plan needs a refresh.

        Raises:
            PlantonError: The cloud cannot be asked.
        """
        if self._suspects or not self._session.exists():
            return False
        state = self._session.export()
        resources = [*states.cloud_resources(state), *states.pool_sizes(state)]
        return any(observed.is_changed(each, self._cloud, lists) is not False for each in resources)

    @contextlib.contextmanager
    def _copy(self) -> Iterator[dict[str, Any]]:
        # In a separate folder a refresh can change the state, with all guards, invisibly to others.
        state = self._session.export()
        with self._elsewhere() as copy:
            copy.replace_state(state, create=True)
            usual, self._session = self._session, copy
            try:
                yield state
            finally:
                self._session = usual

    def _with_default_pool(self, plan: plans.Plan) -> plans.Plan:
        pool = self._default_pool()
        if pool is None or _is_new(pool.cluster, plan):
            return plan
        if not default_pool.is_missing(pool, self._cloud):
            return plan
        return dataclasses.replace(plan, changes=(default_pool.creation(pool), *plan.changes))

    def _default_pool(self) -> default_pool.DefaultPool | None:
        # Only clusters have one, and reading a state is slow in a remote backend.
        if not kinds.get(self._input.target.kind).is_cluster or not self._session.exists():
            return None
        return default_pool.of(self._session.export())

    @contextlib.contextmanager
    def _aside(self) -> Iterator[session.Session]:
        # Pulumi plans stacks only, and an empty one would stay in a backend that others use, or may be read only.
        if self._session.is_there():
            yield self._session
            return
        with self._elsewhere() as opened:
            yield opened

    @contextlib.contextmanager
    def _elsewhere(self) -> Iterator[session.Session]:
        with tempfile.TemporaryDirectory(prefix="planton-") as folder:
            elsewhere = dataclasses.replace(self._settings, backend=pathlib.Path(folder).as_uri())
            name = dataclasses.replace(self.name, organization="")  # folders have no owners
            yield session.Session(name, self._input, elsewhere, self._tools, origin=self._origin)

    def _list_names(self, error: errors.PlantonError) -> None:
        # A module cannot list what the cloud has; here it can be asked.
        what = error.metadata.get("what")
        if error.reason is errors.Reason.NOT_FOUND and what:
            with contextlib.suppress(errors.PlantonError):
                names = ", ".join(self._cloud.names(what)) or "none"
                error.message += f"; {what}s there: {names}"

    def apply(self, planned: plans.Plan | None = None) -> tuple[plans.Plan, message.Message]:
        """Makes the cloud what the manifest says.

        Args:
            planned: What the user has seen, where that was before references were known; otherwise it is what ``plan`` said.

        Returns:
            What was changed, and the StackOutputs.

        Raises:
            PlantonError: ``PLAN_STALE``: something is gone that would be made anew, and the plan does not say so. What failed;
                the state holds what was done, and the next run resumes.
        """
        if planned is not None:
            self._planned = planned
        # An interrupted operation continues with its own tag.
        marker = ownership.new_marker() if self._resumed is None or not self._resumed.marker else self._resumed.marker
        with self._recorded("apply", marker=marker, before=self._ids_before()):
            self._session.marker = marker
            if self._session.exists() and self._is_stale(before := self._session.export()):
                self._refresh()
                self._require_planned((each["urn"] for each in guards.dropped(before, self._session.export())), before)
            recreated = self._recreate_default_pool()
            pool = self._default_pool()
            try:
                outcome = self._session.up(self.on_event)
            except explain.OperationError as error:
                self._point_at_owner(error)
                if error.reason in _FINAL or not (gone := self._forget_gone(failed := self._session.export())):
                    raise
                self._require_planned(gone, failed)
                outcome = self._session.up(self.on_event)
            self._bind(pool, refreshed=False)
            warnings = self._await_cloud(outcome.plan)
        changes = (*recreated, *outcome.plan.changes)
        plan = dataclasses.replace(outcome.plan, changes=changes, warnings=(*outcome.plan.warnings, *warnings))
        return plan, self._outputs()

    def _recreate_default_pool(self) -> tuple[plans.Change, ...]:
        pool = self._default_pool()
        if pool is None or (self._planned is not None and _is_new(pool.cluster, self._planned)):
            return ()
        cluster = self._cloud.cluster(pool.cluster_id)
        if cluster is None:
            return ()
        there = default_pool.find(cluster, pool)
        if there is None:
            self._require_planned([pool.urn], self._session.export())
            self._settings.progress(f"  {self.target.metadata.name}: recreating the default pool, which is missing")  # type: ignore[attr-defined]
            self._cloud.create_pool(pool.cluster_id, default_pool.request(pool))
            awaiting.until_settled(
                lambda: self._cloud.cluster(pool.cluster_id), self._settings, self.target, patience=self.patience
            )
        if there is None or there["id"] != pool.id:
            self._refresh()
        return (default_pool.creation(pool),) if there is None else ()

    def _bind(self, pool: default_pool.DefaultPool | None, *, refreshed: bool) -> None:
        corrected = None if pool is None else default_pool.bound(pool, self._session.export(), self._cloud, refreshed=refreshed)
        if corrected is not None:
            self._session.replace_state(corrected)

    def _await_cloud(self, plan: plans.Plan) -> tuple[str, ...]:
        clusters = [change for change in plan.changes if kinds.has_role(change.type, kinds.Role.CLUSTER)]
        pool = self._default_pool() if clusters else None
        if pool is None:
            return ()

        def look() -> Mapping[str, Any] | None:
            return self._cloud.cluster(pool.cluster_id)

        slow = any(awaiting.takes_time(change) for change in clusters)
        if slow:
            awaiting.until_settled(look, self._settings, self.target, patience=self.patience)
        failed: list[str] = []
        installs = getattr(self._input.target.spec, "applications", ())
        if installs and any(change.action in _NEW for change in clusters):
            slow = bool(awaiting.uninstalled(look() or {}, installs)) or slow
            failed = awaiting.until_installed(look, self._settings, self.target, patience=self.patience)
        if slow:
            # The plugin read the outputs before the cloud had finished.
            self._refresh()
        return tuple(self._report_failed(name) for name in failed)

    def _report_failed(self, application: str) -> str:
        warning = (
            f"spec.applications: {application} is not installed {awaiting.APPLICATION_SECONDS / 60:g} minutes after the cluster was "
            "ready; the cluster is fine: install the application yourself, or look at the cloud's dashboard for why"
        )
        self._settings.progress(f"  ! {warning}")
        return warning

    def _is_stale(self, state: dict[str, Any]) -> bool:
        # The plugin sends the number of nodes with every change, and the state has the number of the last read.
        return (self._planned is not None and self._planned.is_refreshed) or states.autoscaled(state)

    def _ids_before(self) -> dict[str, tuple[str, ...]]:
        # Resources that exist before the first request cannot be the result of one.
        creations = (plans.Action.CREATE, plans.Action.REPLACE)
        changes = () if self._planned is None else self._planned.changes
        creating = [change for change in changes if change.action in creations and clouds.is_resource(change.type)]
        lists = self.lists or observed.Lists(answers.Answers())
        ids: dict[str, tuple[str, ...]] = {}
        for change in creating:
            is_pool = kinds.has_role(change.type, kinds.Role.NODE_POOL)
            cluster = self._cluster_or_nothing() if is_pool else ""
            entries = lists.entries(self._cloud, change.type, cluster) if cluster or not is_pool else []
            ids[change.urn] = tuple(str(each["id"]) for each in entries)
        return ids

    def _require_planned(self, missing: Iterable[str], state: dict[str, Any]) -> None:
        # An approved update must not become a creation. An import shows no plan of its own. A resource that the plan reported missing,
        # and that the manifest no longer has, needs nothing. The state is restored, so that the next plan asks for consent.
        if self._planned is not None and (unplanned := set(missing) - self._planned.made_anew() - self._planned.missing):
            names = ", ".join(sorted(urn.rsplit("::", 1)[-1] for urn in unplanned))
            self._session.replace_state(state)
            raise plans.stale(f"{names} is missing from the cloud, and the plan does not recreate it; nothing was created")

    def _point_at_owner(self, error: explain.OperationError) -> None:
        # The cloud says that a name exists; here it can be asked whose it is.
        failed = () if error.recorder is None else error.recorder.failed
        for urn in failed if error.reason is errors.Reason.CLOUD_NAME_EXISTS else ():
            type_, name = states.type_and_name(urn)
            with contextlib.suppress(errors.PlantonError):
                id_ = self._cloud.find(type_, guards.cloud_name(name, self.target), self._cluster_or_nothing())
                if not id_:
                    continue
                error.metadata |= {"id": id_, "region": self._cloud.where}
                if name == kinds.get(self._input.target.kind).main:
                    error.hint = error.hint.replace(" ID ", f" {id_} ")
                else:
                    error.hint = f"{name} exists in {self._cloud.where} with id {id_}: delete it there, or choose another name"

    def _cluster_or_nothing(self) -> str:
        state = self._session.export() if self._session.exists() else {}
        return guards.cluster_of(state, self.target, self._cloud)

    def _forget_gone(self, deployment: dict[str, Any]) -> set[str]:
        # What was deleted outside can make the plugin fail for ever; what the cloud confirms to be gone leaves the state.
        try:
            gone = guards.missing(deployment, self._cloud)
        except errors.PlantonError:
            return set()
        for urn in sorted(gone):
            # By whom is not known: somebody else, or this operation, whose plugin did not see the end.
            self._settings.progress(f"{urn.rsplit('::', 1)[-1]} is gone; the cloud confirms it")
        if gone:
            self._session.replace_state(states.without(deployment, gone))
        return gone

    def _outputs(self) -> message.Message:
        return session.parse_outputs(kinds.get(self._input.target.kind), states.outputs(self._session.export()))

    def adoption(self, resource: str, given: str) -> importing.Adoption:
        """Returns the resources that an import would adopt (`importing.prepare`); nothing is changed.

        Raises:
            PlantonError: ``NOT_FOUND``; the cloud could not be asked.
        """
        return importing.prepare(self._cloud, self.target, resource, given, cluster_id=self._cluster_id)

    def adopt(self, imports: Mapping[str, str]) -> tuple[plans.Plan, message.Message]:
        """Adopts existing resources into the stack, and updates them to the manifest.

        Args:
            imports: Resource name → import id, as ``adoption`` returns them.

        Returns:
            What was changed, and the StackOutputs.

        Raises:
            PlantonError: The plugin failed.
        """
        usual, self._session = self._session, self._open(imports)
        # What an interrupted operation recorded may be just what is imported now.
        self._resumed = self._journal.read()
        try:
            return self.apply()
        finally:
            self._session = usual

    def _cluster_id(self) -> str:
        wanted = self._input.target.spec.cluster.value
        for cluster in self._cloud.clusters():
            if wanted in (cluster["id"], cluster["name"]):
                return str(cluster["id"])
        raise errors.PlantonError(
            f"no cluster has the name or id {wanted!r}",
            code=errors.Code.INVALID,
            reason=errors.Reason.NOT_FOUND,
            hint="correct spec.cluster",
        )

    def ids(self) -> dict[str, str]:
        """Returns the name in the stack → id of the cloud resources that the state has."""
        state = self._session.export() if self._session.exists() else {}
        return {each["urn"].rsplit("::", 1)[-1]: str(each["id"]) for each in states.cloud_resources(state)}

    @property
    def is_adopting(self) -> bool:
        """Whether a recovery has found something that the next apply is to adopt."""
        return bool(self._suspects)

    def resource_type(self, resource: str) -> str:
        """Returns the Pulumi type of a resource of the stack, by its name in the stack."""
        return kinds.resource_types(self._cloud.PROVIDER)[resource]

    def unfinished(self) -> bool:
        """Returns whether the last operation did not end cleanly, as far as this machine knows."""
        return self._journal.read() is not None

    def recover(self, *, whole: bool = True, to_destroy: bool = False) -> bool:
        """Recovers a stack whose last operation did not end cleanly.

        Reports the interruption, resolves pending operations by reading the cloud, and refreshes after a failed update. The next
        plan and apply adopt resources that the interrupted operation provably created; the cloud is not changed here. Other
        resources with the name are reported and left alone. After a clean operation this reads only one file.

        Args:
            whole: Whether to wait for a cluster that is still being created. A destroy need not wait.
            to_destroy: Whether a destroy follows, which lists the state. Resources with proof are then added to the state.

        Returns:
            Whether anything was recovered.

        Raises:
            PlantonError: ``CLOUD_NAME_EXISTS``: a resource may be the result of the interrupted operation, without proof; the
                cloud could not be asked; a running process holds the stack.
        """
        if self._suspects:
            return True
        record = self._journal.read()
        ours = record is not None
        if not self._session.exists():
            if ours:
                with self._held("recover"):
                    self._recover_lock()
            return False
        if record is None:
            # Another machine may have failed; the state tells. It may also be at work: its lock is not ours to remove.
            state = self._session.export()
            if not states.pending(state) and not states.half_updated(state):
                return False
            record = journal.Record("operation", time.time(), failed=not states.pending(state))
        with self._held("recover"):
            # Whoever held the stack until now may have recovered it, or have failed with a record of its own.
            latest = self._journal.read()
            if ours and latest is None:
                return False
            record = latest or record
            self._session.message = history.message("recover", references.key(self.target), None)
            self._recover(record, ours=ours, whole=whole, to_destroy=to_destroy)
        return True

    def _recover_lock(self) -> None:
        # A first operation that was killed can have left a lock, and no state that would show it. Another command may have
        # applied the stack meanwhile; its record is not ours to clear.
        self._unlock()
        if not self._session.exists():
            self._journal.clear()

    def _recover(self, record: journal.Record, *, ours: bool, whole: bool, to_destroy: bool) -> None:
        started = time.strftime("%Y-%m-%d %H:%M", time.gmtime(record.started))
        how = "failed" if record.failed else "was interrupted"
        self._settings.progress(f"the last {record.operation} of {self.name} ({started} UTC) {how}; looking at the cloud")
        if ours and (not record.failed or self._session.lock_holders()):
            self._unlock()
        deployment = self._session.export()
        pending = states.pending(deployment)
        suspects = {**record.uncertain, **guards.creating(deployment)}
        if pending:
            listed = ", ".join(f"{entry['type']} {entry['resource']['urn'].rsplit('::', 1)[-1]}" for entry in pending)
            self._settings.progress(f"  interrupted: {listed}")
            deployment = {**deployment, "pending_operations": []}
            self._session.replace_state(deployment)
        proven = self._proven(record, suspects, deployment, to_destroy=to_destroy)
        if to_destroy and proven:
            deployment = guards.with_adopted(deployment, proven, suspects)
            self._session.replace_state(deployment)
        found = {} if to_destroy else {states.type_and_name(urn)[1]: id_ for urn, id_ in proven.items()}
        resources = states.cloud_resources(deployment)
        # A cluster that still builds has no kubeconfig yet, and a state that says so would count as what was wanted.
        clusters = [str(each["id"]) for each in resources if kinds.has_role(each["type"], kinds.Role.CLUSTER)]
        for cluster in [*clusters, found.get("cluster", "")] if whole else ():
            self._wait_until_whole(cluster)
        if resources:
            # A killed operation may have written another pool into the state in place of the default pool.
            self._refresh(default_pool.DefaultPool(**record.default_pool) if record.default_pool else None)
            # The next plan must report resources that are missing from the cloud, and ask for consent.
            after = self._session.export()
            if guards.dropped(deployment, after):
                self._session.replace_state(guards.with_missing(deployment, after))
        if found:
            # What is adopted is part of the plan that the user consents to; until that is done the record must not go.
            self._suspects, self._resumed = suspects, record
            self._session = self._open(found)
            self._session.marker = record.marker
            self._journal.write(dataclasses.replace(record, failed=True, uncertain=suspects))
        else:
            self._journal.clear()

    def _proven(
        self,
        record: journal.Record,
        suspects: Mapping[str, journal.Creation],
        deployment: dict[str, Any],
        *,
        to_destroy: bool,
    ) -> dict[str, str]:
        # URN → import id of the resources with proof. Other resources with the name stay unchanged.
        if not suspects:
            return {}
        candidates = guards.candidates(record, suspects, deployment, self._input.target, self._cloud, now=time.time())
        cluster = self._cluster_or_nothing()
        proven = {each.urn: guards.import_id(each, cluster) for each in candidates if each.is_ours}
        for urn, id_ in proven.items():
            name = states.type_and_name(urn)[1]
            self._settings.progress(f"  {name} was created without being recorded: adopting {id_} instead of creating another")
        now = datetime.datetime.now(datetime.UTC)
        strangers = [each for each in candidates if not each.is_ours]
        for each in strangers:
            self._settings.progress(f"  left alone: {states.type_and_name(each.urn)[1]} {each.describe(now)}")
        doubtful = [each for each in strangers if not each.is_older and each.urn not in proven]
        if doubtful and not to_destroy:
            raise self._unproven(doubtful[0], now)
        return proven

    def _unproven(self, candidate: ownership.Candidate, now: datetime.datetime) -> errors.PlantonError:
        name = states.type_and_name(candidate.urn)[1]
        key = references.key(self.target)
        return errors.PlantonError(
            f"the interrupted operation may have created this {name}, which cannot be proven: {candidate.describe(now)}",
            code=errors.Code.REFUSED,
            reason=errors.Reason.CLOUD_NAME_EXISTS,
            hint=f"if it is yours: planton import {key.kind}/{key.name} {candidate.id} -f FILE; else delete it or choose another name",
            metadata={"id": candidate.id, "resource": name},
        )

    def _wait_until_whole(self, cluster: str) -> None:
        deadline = time.monotonic() + self._settings.timeout
        told = False
        while cluster and self._cloud.building(cluster):
            if time.monotonic() > deadline:
                raise explain.stuck("apply", self._settings.timeout, self._input.target)
            if not told:
                self._settings.progress("  the cloud is still at work on the cluster; waiting for it")
                told = True
            self._settings.interruption.check()
            time.sleep(1)

    def _unlock(self) -> None:
        # The engine of a killed command ends by itself soon; its lock then stays behind only if it was killed too. A lock whose
        # holder works, here or on another machine, is not ours to remove.
        deadline = time.monotonic() + _ENGINE_END_SECONDS
        while holders := [each for each in self._session.lock_holders() if _may_work(*each)]:
            host, process = holders[0]
            if host != socket.gethostname() or time.monotonic() > deadline:
                raise errors.PlantonError(
                    f"stack {self.name} is held by process {process} on {host}",
                    code=errors.Code.LOCKED,
                    reason=errors.Reason.STACK_LOCKED,
                    hint="wait until it ends, then run the same command again",
                    metadata={"stack": str(self.name), "holder": f"{process} on {host}"},
                )
            self._settings.interruption.check()
            time.sleep(_POLL_SECONDS)
        with contextlib.suppress(errors.PlantonError):
            self._session.unlock()

    def refresh(self) -> plans.Plan:
        """Makes the state what the cloud says, and believes nothing that the cloud does not confirm.

        Raises:
            PlantonError: ``REFRESH_NOT_BELIEVED``; the plugin or the cloud failed. The state is then as it was.
        """
        with self._recorded("refresh"):
            return self._refresh()

    def _refresh(self, pool: default_pool.DefaultPool | None = None) -> plans.Plan:
        before = self._with_whole_rules()
        pool = pool or self._default_pool()
        try:
            outcome = self._session.refresh(self.on_event)
        except explain.OperationError as error:
            if error.reason is errors.Reason.STACK_LOCKED:
                raise
            if error.reason in _FINAL or not self._forget_gone(before):
                self._put_back(before)
                raise
            outcome = self._session.refresh(self.on_event)
        self._believe(before, self._session.export())
        self._with_whole_rules()
        self._bind(pool, refreshed=True)
        return outcome.plan

    def _put_back(self, state: dict[str, Any]) -> None:
        # What the error of the refresh says matters more than that this cannot be done; the next run refreshes again.
        with contextlib.suppress(errors.PlantonError):
            if self._session.lock_holders():
                self._unlock()
            self._session.replace_state(state)

    def _with_whole_rules(self) -> dict[str, Any]:
        state = self._session.export()
        mended = guards.with_whole_rules(state)
        if mended is None:
            return state
        self._session.replace_state(mended)
        return mended

    def _believe(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        missing = guards.dropped(before, after)
        if not missing:
            return
        names = [resource["urn"].rsplit("::", 1)[-1] for resource in missing]
        try:
            alive = guards.still_there(missing, self._cloud)
        except errors.PlantonError as error:
            self._session.replace_state(before)
            raise guards.not_believed(names, f"the cloud cannot confirm it ({error.message})") from error
        if alive:
            self._session.replace_state(before)
            raise guards.not_believed(alive, "the cloud still has it")
        shells = {resource["urn"] for resource in missing} & {r["urn"] for r in states.cloud_resources(after)}
        if shells:
            self._session.replace_state(states.without(after, shells))

    def drift(self) -> Drift:
        """Returns how the cloud differs from what was applied; state and cloud stay as they are.

        Raises:
            PlantonError: ``REFRESH_NOT_BELIEVED``; the plugin or the cloud failed.
        """
        before = self._session.export()
        failure = None
        try:
            changes = self._session.refresh(self.on_event, preview=True).recorder.refreshed()
        except explain.OperationError as error:
            failure = error
            changes = () if error.recorder is None else error.recorder.refreshed()
        ours = {resource["urn"] for resource in states.cloud_resources(before)}
        suspects = {change.urn for change in changes if _looks_lost(change)} & ours
        gone = self._confirmed_gone(before, failure) if suspects or failure is not None else set()
        if failure is not None and not gone:
            raise failure
        if suspects - gone:
            raise guards.not_believed([urn.rsplit("::", 1)[-1] for urn in suspects - gone], "the cloud still has it")
        deleted = [
            plans.Change(resource["urn"], resource["urn"].rsplit("::", 1)[-1], resource["type"], plans.Action.DELETE)
            for resource in states.cloud_resources(before)
            if resource["urn"] in gone
        ]
        others = tuple(change for change in changes if change.urn not in gone and change.action is not plans.Action.DELETE)
        pool = default_pool.of(before)
        if pool is not None and pool.cluster not in gone:
            others = default_pool.drift(pool, others, self._cloud)
        return Drift((*deleted, *others))

    def _confirmed_gone(self, deployment: dict[str, Any], failure: explain.OperationError | None) -> set[str]:
        try:
            return guards.missing(deployment, self._cloud)
        except errors.PlantonError as error:
            if failure is not None:
                raise failure from error
            names = [resource["urn"].rsplit("::", 1)[-1] for resource in states.cloud_resources(deployment)]
            raise guards.not_believed(names, f"the cloud cannot confirm it ({error.message})") from error

    def _require_listed(self) -> None:
        listed = set() if self._planned is None else {change.urn for change in self._planned.changes}
        unlisted = [each["urn"] for each in states.cloud_resources(self._session.export()) if each["urn"] not in listed]
        if self._planned is not None and unlisted:
            names = ", ".join(sorted(urn.rsplit("::", 1)[-1] for urn in unlisted))
            raise errors.PlantonError(
                f"{self.name} also has {names}, which was not listed; nothing was deleted",
                code=errors.Code.REFUSED,
                reason=errors.Reason.PLAN_STALE,
                hint="run the same command again: it lists the current resources",
            )

    def destroy(
        self, planned: plans.Plan | None = None, *, around: contextlib.AbstractContextManager[None] | None = None
    ) -> plans.Plan:
        """Deletes everything of the stack, and the stack.

        Args:
            planned: The listed resources, and only these are deleted; None for the result of ``plan_destroy``.
            around: A context manager around the deletion; None for none.

        Raises:
            PlantonError: ``PLAN_STALE``: the state has a resource that was not listed. After other errors the state holds the
                remaining resources.
        """
        if planned is not None:
            self._planned = planned
        with self._recorded("destroy"):
            self._require_listed()
            with around or contextlib.nullcontext():
                outcome = self._destroy()
            self._session.remove()
        return outcome.plan

    def _destroy(self) -> session.Outcome:
        try:
            return self._session.destroy(self.on_event)
        except explain.OperationError as error:
            if error.reason in _FINAL or not self._can_go_on(error):
                raise
            return self._session.destroy(self.on_event)

    def _can_go_on(self, error: explain.OperationError) -> bool:
        deployment = self._session.export()
        if self._forget_gone(deployment):
            return True
        try:
            cluster = default_pool.is_last(deployment, self._cloud)
        except errors.PlantonError:
            return False
        pools = default_pool.without_pools(deployment, cluster)
        if pools:
            # The cloud keeps the last pool of a cluster until the cluster is deleted.
            self._session.replace_state(states.without(deployment, pools))
        elif cluster:
            error.metadata |= {default_pool.LAST_OF: cluster}
            error.hint = (
                "it is the last pool of its cluster, which the cloud keeps: destroy the cluster too, or apply the cluster first, "
                "which recreates its default pool"
            )
        return bool(pools)

    def plan_destroy(self) -> plans.Plan:
        """Returns what a destroy would delete.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; the plan cannot be made.
        """
        urns = [
            plans.Change(resource["urn"], resource["urn"].rsplit("::", 1)[-1], resource["type"], plans.Action.DELETE)
            for resource in reversed(states.cloud_resources(self._session.export()))
        ]
        self._planned = plans.Plan(tuple(urns))
        return self._planned

    def exists(self) -> bool:
        """Returns whether the stack exists."""
        return self._session.exists()

    @contextlib.contextmanager
    def _held(self, operation: str) -> Iterator[None]:
        with self._journal.hold(operation, self._settings):
            yield

    @contextlib.contextmanager
    def _recorded(
        self, operation: str, *, marker: str = "", before: Mapping[str, tuple[str, ...]] | None = None
    ) -> Iterator[None]:
        with self._held(operation):
            planned = None if operation == "refresh" else self._planned
            self._session.message = history.message(operation, references.key(self.target), planned)
            resumed = self._resumed
            self._require_known(self._journal.read())
            pool = self._default_pool()
            record = journal.Record(
                operation,
                # A creation of an earlier operation is judged by the start of that operation and the list from before it.
                time.time() if resumed is None else resumed.started,
                uncertain=self._suspects,
                marker=marker,
                before={**(before or {}), **({} if resumed is None else resumed.before)},
                default_pool={} if pool is None else dataclasses.asdict(pool),
            )
            self._journal.write(record)
            try:
                yield
            except errors.PlantonError as error:
                uncertain = {urn: self._creation(error, urn) for urn in getattr(error, "uncertain", ())}
                # Where even this cannot be kept, the record still says that the operation has begun.
                with contextlib.suppress(errors.PlantonError):
                    self._journal.write(dataclasses.replace(record, failed=True, uncertain={**self._suspects, **uncertain}))
                raise
            self._journal.clear()
            self._suspects, self._resumed = {}, None

    def _require_known(self, record: journal.Record | None) -> None:
        # Another command may have failed while this one waited; only a recovery finds out what it has created.
        if record is None or self._resumed is not None or not record.uncertain:
            return
        raise errors.PlantonError(
            f"another operation on {self.name} failed meanwhile; nothing was changed",
            code=errors.Code.REFUSED,
            reason=errors.Reason.PLAN_STALE,
            hint="run the same command again: it looks at the cloud first",
        )

    def _creation(self, error: errors.PlantonError, urn: str) -> journal.Creation:
        recorder = getattr(error, "recorder", None)
        sent = guards.creation({} if recorder is None else recorder.inputs.get(urn, {}))
        return sent if sent.name else journal.Creation(guards.cloud_name(states.type_and_name(urn)[1], self.target))


def _is_new(urn: str, plan: plans.Plan) -> bool:
    return any(change.urn == urn and change.action in _NEW for change in plan.changes)


def _may_work(host: str, process: int) -> bool:
    return host != socket.gethostname() or locks.runs(process)


def _looks_lost(change: plans.Change) -> bool:
    # A network that is gone is read as one whose texts are empty.
    emptied = any(each.path == "label" and not each.new for each in change.differences)
    return change.action is plans.Action.DELETE or (kinds.has_role(change.type, kinds.Role.NETWORK) and emptied)
