"""One rule at a time, comparing whole steps."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from scheduler_world import FAIL, World

from covalent_lab.graph.model import Graph
from covalent_lab.ids import DispatchId, NodeId, PayloadRef
from covalent_lab.scheduler.commands import (
    CancelNode,
    DispatchTransition,
    NodeTransition,
    StartTimer,
    Step,
    SubmitNode,
)
from covalent_lab.scheduler.events import (
    CancelRequested,
    DispatchRestored,
    DispatchStarted,
    DispatchSubmitted,
    DispatchWithdrawn,
    Event,
    NodeCancelled,
    NodeFailed,
    NodeLost,
    NodeStarted,
    NodeSucceeded,
    TimeLimitElapsed,
)
from covalent_lab.scheduler.plan import NodePolicy, make_plan
from covalent_lab.scheduler.scheduler import MAX_LOST, Scheduler
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.testing.graphs import chain, fan, make_graph, random_graph

ID = DispatchId("d")
OUTPUT = PayloadRef("b" * 40, 3)


def moved(node: int, state: NodeState, attempt: int, at: float, **more: object) -> NodeTransition:
    """A node transition of the one dispatch."""
    return NodeTransition(dispatch_id=ID, node_id=NodeId(node), state=state, attempt=attempt, at=at, **more)  # type: ignore[arg-type]


def dispatch(state: DispatchState, at: float, error: str = "") -> DispatchTransition:
    """A transition of the one dispatch."""
    return DispatchTransition(dispatch_id=ID, state=state, at=at, error=error)


def submit(node: int, attempt: int = 1) -> SubmitNode:
    """The command to run a node."""
    return SubmitNode(dispatch_id=ID, node_id=NodeId(node), attempt=attempt)


def stop(node: int, attempt: int = 1) -> CancelNode:
    """The command to stop a node."""
    return CancelNode(dispatch_id=ID, node_id=NodeId(node), attempt=attempt)


def succeeded(node: int, attempt: int = 1, at: float = 5.0) -> NodeSucceeded:
    """A job returned."""
    return NodeSucceeded(dispatch_id=ID, node_id=NodeId(node), attempt=attempt, at=at, output=OUTPUT)


def failed(node: int, attempt: int = 1, at: float = 5.0, *, may_retry: bool = True) -> NodeFailed:
    """A job raised."""
    return NodeFailed(
        dispatch_id=ID, node_id=NodeId(node), attempt=attempt, at=at, message="ValueError: no", may_retry=may_retry
    )


def cancelled(node: int, attempt: int = 1, at: float = 5.0) -> NodeCancelled:
    """A job was stopped."""
    return NodeCancelled(dispatch_id=ID, node_id=NodeId(node), attempt=attempt, at=at)


def cancel(nodes: Iterable[int] | None, at: float = 4.0) -> CancelRequested:
    """Somebody asked to stop nodes."""
    return CancelRequested(
        dispatch_id=ID, node_ids=None if nodes is None else frozenset(NodeId(n) for n in nodes), at=at
    )


def began(node: int, attempt: int = 1, at: float = 3.0) -> NodeStarted:
    """A job began to run."""
    return NodeStarted(dispatch_id=ID, node_id=NodeId(node), attempt=attempt, at=at)


def running(
    graph: Graph, policy: NodePolicy | None = None, limits: dict[str, int] | None = None
) -> tuple[Scheduler, Step]:
    """A scheduler with one started dispatch, and the step that started it."""
    scheduler = Scheduler(limits)
    plan = make_plan(graph, [policy or NodePolicy() for _ in graph.options])
    told(scheduler, DispatchSubmitted(dispatch_id=ID, plan=plan, at=1.0))
    return scheduler, told(scheduler, DispatchStarted(dispatch_id=ID, at=2.0))


def told(scheduler: Scheduler, *events: Event) -> Step:
    """Feed events, check the books after each, and return the last step."""
    step = Step()
    for event in events:
        step = scheduler.handle(event)
        scheduler.check_invariants()
    return step


# --- the course of a dispatch


def test_a_submitted_dispatch_waits_until_it_is_started() -> None:
    """Submission records the dispatch and commands nothing."""
    scheduler = Scheduler()
    step = told(scheduler, DispatchSubmitted(dispatch_id=ID, plan=make_plan(chain(1), [NodePolicy()]), at=1.0))
    assert step == Step(transitions=[dispatch(DispatchState.NEW_OBJECT, 1.0)])


def test_starting_submits_exactly_the_nodes_without_inputs() -> None:
    """A start moves the dispatch twice and submits the roots; parameters neither move nor run."""
    _, step = running(make_graph(4, [(0, 2), (1, 2), (2, 3)], parameters={0}))
    assert step == Step(
        transitions=[
            dispatch(DispatchState.STARTING, 2.0),
            dispatch(DispatchState.RUNNING, 2.0),
            moved(1, NodeState.STARTING, 1, 2.0),
        ],
        commands=[submit(1)],
    )


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_withdrawn_dispatch_leaves_no_trace(limit: int) -> None:
    """Its places are free again, whether its nodes had them or waited; it can be submitted once more."""
    graph = make_graph(3, [])
    scheduler, first = running(graph, limits={"local": limit})
    assert len(first.commands) == min(limit, 3)
    assert told(scheduler, DispatchWithdrawn(dispatch_id=ID, at=3.0)) == Step()
    assert scheduler.active == frozenset()
    plan = make_plan(graph, [NodePolicy()])
    again = told(
        scheduler,
        DispatchSubmitted(dispatch_id=ID, plan=plan, at=2.0),
        DispatchStarted(dispatch_id=ID, at=2.0),
    )
    assert again == first


def test_withdrawing_what_is_not_there_does_nothing() -> None:
    """It is counted as late."""
    scheduler = Scheduler()
    assert told(scheduler, DispatchWithdrawn(dispatch_id=ID, at=1.0)) == Step()
    assert scheduler.late_events == 1


def test_starting_twice_does_nothing_the_second_time() -> None:
    """A repeated start is counted as late."""
    scheduler, _ = running(chain(2))
    assert told(scheduler, DispatchStarted(dispatch_id=ID, at=3.0)) == Step()
    assert scheduler.late_events == 1


def test_a_node_starts_when_its_last_input_completes() -> None:
    """Of two inputs the first to complete releases nothing, the second releases the node."""
    scheduler, _ = running(make_graph(3, [(0, 2), (1, 2)]))
    assert told(scheduler, succeeded(1)) == Step(transitions=[moved(1, NodeState.COMPLETED, 1, 5.0, output=OUTPUT)])
    assert told(scheduler, succeeded(0, at=6.0)) == Step(
        transitions=[moved(0, NodeState.COMPLETED, 1, 6.0, output=OUTPUT), moved(2, NodeState.STARTING, 1, 6.0)],
        commands=[submit(2)],
    )


def test_repeated_edges_between_two_nodes_count_once_each() -> None:
    """f(x, x) waits for x, not for two of it."""
    scheduler, _ = running(make_graph(2, [(0, 1), (0, 1)]))
    assert told(scheduler, succeeded(0)).commands == [submit(1)]


def test_a_run_can_complete_without_being_told_that_jobs_started() -> None:
    """A success straight from STARTING is accepted, and ends the dispatch."""
    scheduler, _ = running(chain(1))
    assert told(scheduler, succeeded(0)) == Step(
        transitions=[moved(0, NodeState.COMPLETED, 1, 5.0, output=OUTPUT), dispatch(DispatchState.COMPLETED, 5.0)]
    )
    assert scheduler.active == frozenset()


def test_an_empty_graph_completes_at_once() -> None:
    """Nothing to run means COMPLETED, not waiting for ever."""
    _, step = running(make_graph(1, [], parameters={0}))
    assert step.transitions[-1] == dispatch(DispatchState.COMPLETED, 2.0)
    assert step.commands == []


def test_an_identity_postprocess_completes_without_running() -> None:
    """It completes in the step of its last input, and says whose output it hands on."""
    scheduler, _ = running(fan(2))
    told(scheduler, succeeded(0), succeeded(1))
    assert told(scheduler, succeeded(2)) == Step(
        transitions=[
            moved(2, NodeState.COMPLETED, 1, 5.0, output=OUTPUT),
            moved(3, NodeState.COMPLETED, 0, 5.0, passes_on=NodeId(1)),
            dispatch(DispatchState.COMPLETED, 5.0),
        ]
    )


def test_an_identity_of_a_parameter_completes_at_the_start() -> None:
    """A workflow that returns its input needs no executor."""
    _, step = running(make_graph(2, [(0, 1)], parameters={0}, identity=1))
    assert step.transitions[2:] == [
        moved(1, NodeState.COMPLETED, 0, 2.0, passes_on=NodeId(0)),
        dispatch(DispatchState.COMPLETED, 2.0),
    ]


# --- failure


def test_children_of_a_failed_node_never_start_and_other_branches_go_on() -> None:
    """0 fails, 2 after 0 stays NEW_OBJECT, 1 and 3 run; the error names the failed node."""
    scheduler, _ = running(make_graph(4, [(0, 2), (1, 3)]))
    assert told(scheduler, failed(0)) == Step(transitions=[moved(0, NodeState.FAILED, 1, 5.0, error="ValueError: no")])
    assert told(scheduler, succeeded(1)).commands == [submit(3)]
    assert told(scheduler, succeeded(3)).transitions[-1] == dispatch(
        DispatchState.FAILED, 5.0, "The following tasks failed:\n0: task_0"
    )


def test_the_error_lists_failed_nodes_in_order_of_their_numbers() -> None:
    """Not in the order in which they failed."""
    scheduler, _ = running(make_graph(3, []))
    step = told(scheduler, failed(2), failed(0), succeeded(1))
    assert step.transitions[-1] == dispatch(
        DispatchState.FAILED, 5.0, "The following tasks failed:\n0: task_0\n2: task_2"
    )


def test_a_failed_node_is_retried_as_often_as_its_policy_says() -> None:
    """With one retry the second attempt follows at once, and the second failure is final."""
    scheduler, _ = running(chain(2), NodePolicy(retries=1))
    assert told(scheduler, failed(0)) == Step(
        transitions=[moved(0, NodeState.STARTING, 2, 5.0, error="ValueError: no")], commands=[submit(0, 2)]
    )
    assert told(scheduler, failed(0, 2, at=6.0)) == Step(
        transitions=[
            moved(0, NodeState.FAILED, 2, 6.0, error="ValueError: no"),
            dispatch(DispatchState.FAILED, 6.0, "The following tasks failed:\n0: task_0"),
        ]
    )


def test_the_next_attempt_tells_when_the_last_one_began() -> None:
    """A short job is not told to run before its end."""
    scheduler, _ = running(chain(1), NodePolicy(retries=1))
    step = told(scheduler, replace(failed(0), started_at=4.5))
    assert step.transitions == [moved(0, NodeState.STARTING, 2, 5.0, error="ValueError: no", started_at=4.5)]


def test_a_failure_that_cannot_be_helped_is_not_retried() -> None:
    """`may_retry=False` ends the node although retries are left."""
    scheduler, _ = running(chain(1), NodePolicy(retries=5))
    assert told(scheduler, failed(0, may_retry=False)).transitions[0].state is NodeState.FAILED


def test_a_lost_job_is_run_again_without_using_up_a_retry() -> None:
    """With no retries at all a loss still leads to a new attempt, and a failure after it is final."""
    scheduler, _ = running(chain(1))
    lost = NodeLost(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=5.0)
    reason = "Its worker or machine disappeared while it ran."
    assert told(scheduler, lost) == Step(
        transitions=[moved(0, NodeState.STARTING, 2, 5.0, error=reason)], commands=[submit(0, 2)]
    )
    assert told(scheduler, failed(0, 2)).transitions[0].state is NodeState.FAILED


def test_a_job_that_is_lost_over_and_over_fails_in_the_end() -> None:
    """A task that kills its machine must not do so for ever."""
    scheduler, _ = running(chain(1))
    for attempt in range(1, MAX_LOST + 1):
        step = told(scheduler, NodeLost(dispatch_id=ID, node_id=NodeId(0), attempt=attempt, at=5.0))
        assert step.commands == [submit(0, attempt + 1)]
    last = told(scheduler, NodeLost(dispatch_id=ID, node_id=NodeId(0), attempt=MAX_LOST + 1, at=5.0))
    assert last.transitions[-1].state is DispatchState.FAILED


def test_a_retried_node_keeps_its_place_in_the_lane() -> None:
    """A retry does not let a waiting node overtake."""
    scheduler, _ = running(make_graph(2, []), NodePolicy(retries=1), {"local": 1})
    assert told(scheduler, failed(0)).commands == [submit(0, 2)]


# --- time limits


def test_the_clock_of_a_time_limit_starts_when_the_job_runs() -> None:
    """Waiting in the executor's queue does not count."""
    scheduler, step = running(chain(1), NodePolicy(time_limit_s=7.0))
    assert step.commands == [submit(0)]
    assert told(scheduler, began(0)) == Step(
        transitions=[moved(0, NodeState.RUNNING, 1, 3.0, started_at=3.0)],
        commands=[StartTimer(dispatch_id=ID, node_id=NodeId(0), attempt=1, delay_s=7.0)],
    )


def test_a_job_over_its_time_limit_is_stopped_and_failed_with_the_reason() -> None:
    """The cancel comes first; the node fails when the job has really ended."""
    scheduler, _ = running(chain(1), NodePolicy(time_limit_s=7.0))
    elapsed = TimeLimitElapsed(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=10.0)
    assert told(scheduler, began(0), elapsed) == Step(commands=[stop(0)])
    assert told(scheduler, cancelled(0, at=11.0)).transitions[0] == moved(
        0, NodeState.FAILED, 1, 11.0, error="Stopped: it exceeded its time limit of 7 s."
    )


def test_a_job_over_its_time_limit_is_retried_like_any_failure() -> None:
    """Time limits and retries combine."""
    scheduler, _ = running(chain(1), NodePolicy(time_limit_s=7.0, retries=1))
    elapsed = TimeLimitElapsed(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=10.0)
    assert told(scheduler, began(0), elapsed, cancelled(0)).commands == [submit(0, 2)]


def test_a_job_that_returns_although_its_time_is_up_has_completed() -> None:
    """A result that exists is not thrown away."""
    scheduler, _ = running(chain(1), NodePolicy(time_limit_s=7.0))
    elapsed = TimeLimitElapsed(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=10.0)
    assert told(scheduler, began(0), elapsed, succeeded(0)).transitions[-1].state is DispatchState.COMPLETED


def test_a_job_stopped_at_its_time_limit_by_an_earlier_dispatcher_has_failed() -> None:
    """Nobody asked for its cancel, and it ran for as long as it might."""
    scheduler = Scheduler()
    told(scheduler, restored(chain(1), {0: (NodeState.RUNNING, 1)}))
    ended = NodeCancelled(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=20.0, started_at=13.0)
    assert told(scheduler, ended).transitions[0].state is NodeState.FAILED


def test_the_timer_of_an_earlier_attempt_is_ignored() -> None:
    """It is counted as late and stops nothing."""
    scheduler, _ = running(chain(1), NodePolicy(time_limit_s=7.0, retries=1))
    elapsed = TimeLimitElapsed(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=10.0)
    assert told(scheduler, began(0), failed(0), began(0, 2), elapsed) == Step()
    assert scheduler.late_events == 1


# --- cancel


def test_cancelling_a_dispatch_stops_running_nodes_and_drops_ready_ones() -> None:
    """With one place, 0 is in flight and is stopped, 1 waits and is cancelled at once, 2 depends on 0 and stays."""
    scheduler, _ = running(make_graph(3, [(0, 2)]), limits={"local": 1})
    assert told(scheduler, cancel(None)) == Step(
        transitions=[moved(1, NodeState.CANCELLED, 0, 4.0)], commands=[stop(0)], cancels=[(ID, None)]
    )
    assert told(scheduler, cancelled(0)) == Step(
        transitions=[moved(0, NodeState.CANCELLED, 1, 5.0), dispatch(DispatchState.CANCELLED, 5.0)]
    )


def test_a_dispatch_that_was_not_started_is_cancelled_at_once() -> None:
    """It can no longer be started."""
    scheduler = Scheduler()
    submitted = DispatchSubmitted(dispatch_id=ID, plan=make_plan(chain(1), [NodePolicy()]), at=1.0)
    assert told(scheduler, submitted, cancel(None)) == Step(
        transitions=[dispatch(DispatchState.CANCELLED, 4.0)], cancels=[(ID, None)]
    )
    assert told(scheduler, DispatchStarted(dispatch_id=ID, at=5.0)) == Step()


def test_success_after_a_cancel_of_the_dispatch_counts_but_releases_nothing_to_run() -> None:
    """0 was too fast to be stopped; 1 becomes CANCELLED when it would be started."""
    scheduler, _ = running(chain(3))
    told(scheduler, cancel(None))
    assert told(scheduler, succeeded(0)) == Step(
        transitions=[
            moved(0, NodeState.COMPLETED, 1, 5.0, output=OUTPUT),
            moved(1, NodeState.CANCELLED, 0, 5.0),
            dispatch(DispatchState.CANCELLED, 5.0),
        ]
    )


def test_success_of_the_last_node_after_a_cancel_completes_the_dispatch() -> None:
    """Everything has a result, so nothing was cancelled."""
    scheduler, _ = running(chain(1))
    assert told(scheduler, cancel(None), succeeded(0)).transitions[-1].state is DispatchState.COMPLETED


def test_cancelling_a_node_that_has_not_started_takes_effect_when_it_would() -> None:
    """The branch beside it goes on, and the dispatch ends CANCELLED."""
    scheduler, _ = running(make_graph(4, [(0, 1), (0, 2), (1, 3)]))
    assert told(scheduler, cancel([1])) == Step(cancels=[(ID, frozenset({NodeId(1)}))])
    assert told(scheduler, succeeded(0)) == Step(
        transitions=[
            moved(0, NodeState.COMPLETED, 1, 5.0, output=OUTPUT),
            moved(1, NodeState.CANCELLED, 0, 5.0),
            moved(2, NodeState.STARTING, 1, 5.0),
        ],
        commands=[submit(2)],
    )
    assert told(scheduler, succeeded(2)).transitions[-1].state is DispatchState.CANCELLED


def test_a_node_cancelled_before_the_start_of_the_dispatch_never_runs() -> None:
    """The request is remembered until the dispatch starts."""
    scheduler = Scheduler()
    submitted = DispatchSubmitted(dispatch_id=ID, plan=make_plan(chain(1), [NodePolicy()]), at=1.0)
    step = told(scheduler, submitted, cancel([0]), DispatchStarted(dispatch_id=ID, at=5.0))
    assert step.commands == []
    assert step.transitions[-1] == dispatch(DispatchState.CANCELLED, 5.0)


def test_a_failure_while_being_cancelled_is_not_retried() -> None:
    """The node is CANCELLED rather than submitted again."""
    scheduler, _ = running(chain(1), NodePolicy(retries=3))
    step = told(scheduler, cancel([0]), failed(0))
    assert step == Step(transitions=[moved(0, NodeState.CANCELLED, 1, 5.0), dispatch(DispatchState.CANCELLED, 5.0)])


def test_failure_outweighs_cancellation_in_the_final_status() -> None:
    """One failed and one cancelled node make a FAILED dispatch."""
    scheduler, _ = running(make_graph(2, []))
    step = told(scheduler, failed(0), cancel([1]), cancelled(1))
    assert step.transitions[-1] == dispatch(DispatchState.FAILED, 5.0, "The following tasks failed:\n0: task_0")


def test_cancelling_what_is_over_changes_nothing() -> None:
    """Neither a completed node, nor a parameter, nor a dispatch that ended."""
    scheduler, _ = running(make_graph(3, [(0, 1), (1, 2)], parameters={0}))
    told(scheduler, succeeded(1))
    assert told(scheduler, cancel([0, 1])) == Step(cancels=[(ID, frozenset({NodeId(0), NodeId(1)}))])
    told(scheduler, succeeded(2))
    assert told(scheduler, cancel(None)) == Step()
    assert scheduler.late_events == 1


# --- restart


def restored(graph: Graph, nodes: dict[int, tuple[NodeState, int]], **more: object) -> DispatchRestored:
    """A dispatch found RUNNING in the store."""
    return DispatchRestored(
        dispatch_id=ID,
        plan=make_plan(graph, [NodePolicy(time_limit_s=7.0)]),
        nodes={NodeId(n): s for n, s in nodes.items()},
        at=9.0,
        **{"state": DispatchState.RUNNING, **more},  # type: ignore[arg-type]
    )


def test_a_restored_dispatch_submits_what_is_ready_and_waits_for_what_runs() -> None:
    """0 is complete, 1 is still running (its clock starts again), 2 was ready and is submitted, 3 waits."""
    graph = make_graph(4, [(0, 1), (0, 2), (1, 3)])
    scheduler = Scheduler()
    step = told(scheduler, restored(graph, {0: (NodeState.COMPLETED, 1), 1: (NodeState.RUNNING, 2)}))
    assert step == Step(
        transitions=[moved(2, NodeState.STARTING, 1, 9.0)],
        commands=[StartTimer(dispatch_id=ID, node_id=NodeId(1), attempt=2, delay_s=7.0), submit(2)],
    )
    assert told(scheduler, succeeded(1, 2)).commands == [submit(3)]


def test_a_restored_dispatch_with_nothing_left_to_do_ends() -> None:
    """All nodes were recorded, only the end of the dispatch was not."""
    step = told(Scheduler(), restored(chain(1), {0: (NodeState.COMPLETED, 1)}))
    assert step == Step(transitions=[dispatch(DispatchState.COMPLETED, 9.0)])


def test_a_restored_dispatch_that_was_not_started_stays_so() -> None:
    """It waits for its start as before."""
    scheduler = Scheduler()
    assert told(scheduler, restored(chain(1), {}, state=DispatchState.NEW_OBJECT)) == Step()
    assert told(scheduler, DispatchStarted(dispatch_id=ID, at=10.0)).commands == [submit(0)]


def test_a_dispatch_restored_while_starting_goes_on_to_running() -> None:
    """Its roots are submitted."""
    step = told(Scheduler(), restored(chain(2), {}, state=DispatchState.STARTING))
    assert step == Step(
        transitions=[dispatch(DispatchState.RUNNING, 9.0), moved(0, NodeState.STARTING, 1, 9.0)],
        commands=[submit(0)],
    )


def test_a_recorded_cancel_is_carried_out_after_a_restart() -> None:
    """The running node is stopped again, the ready one cancelled."""
    scheduler = Scheduler()
    step = told(scheduler, restored(make_graph(2, []), {0: (NodeState.STARTING, 1)}, cancel_all=True))
    assert step == Step(transitions=[moved(1, NodeState.CANCELLED, 0, 9.0)], commands=[stop(0)])
    lost = NodeLost(dispatch_id=ID, node_id=NodeId(0), attempt=1, at=10.0)
    assert told(scheduler, lost).transitions[-1].state is DispatchState.CANCELLED


def test_more_restored_jobs_than_places_hold_new_ones_back() -> None:
    """A limit that was lowered between two starts is respected as soon as possible."""
    scheduler = Scheduler({"local": 1})
    graph = make_graph(3, [])
    told(scheduler, restored(graph, {0: (NodeState.RUNNING, 1), 1: (NodeState.RUNNING, 1)}))
    assert told(scheduler, succeeded(0)).commands == []
    assert told(scheduler, succeeded(1)).commands == [submit(2)]


# --- limits and turns


def test_an_executor_gets_no_more_nodes_than_its_limit() -> None:
    """Each end lets one more in; the other executor is not held up."""
    graph = make_graph(5, [], lanes=("local", "other"), lane_of=[0, 0, 0, 1, 1])
    scheduler = Scheduler({"local": 1, "other": 2})
    plan = make_plan(graph, [NodePolicy(executor="local"), NodePolicy(executor="other")])
    step = told(
        scheduler,
        DispatchSubmitted(dispatch_id=ID, plan=plan, at=1.0),
        DispatchStarted(dispatch_id=ID, at=2.0),
    )
    assert sorted(c.node_id for c in step.commands) == [0, 3, 4]
    assert told(scheduler, succeeded(0)).commands == [submit(1)]
    assert told(scheduler, succeeded(3)).commands == []


def test_dispatches_take_turns_on_a_busy_executor() -> None:
    """A small dispatch submitted after a wide one does not wait until all of the wide one is through."""
    world = World({"local": 2})
    wide, small = DispatchId("wide"), DispatchId("small")
    world.submit(wide, make_graph(50, []), [NodePolicy()])
    world.submit(small, make_graph(3, []), [NodePolicy()])
    ended = 0
    while not world.records[small].state.is_terminal:
        event = world.end_event(next(iter(world.jobs)))
        assert event is not None
        world.tick(event)
        ended += 1
    assert ended <= 2 + 2 * 3
    world.settle()


@pytest.mark.parametrize("count", [100, 400])
def test_transitions_and_commands_per_node_are_constant(count: int) -> None:
    """Two transitions without a start being told, one command: no more in large graphs than in small ones."""
    world = World()
    graph = random_graph(Random(count), count)
    world.submit(ID, graph, [NodePolicy()])
    while world.jobs:
        event = world.end_event(next(iter(world.jobs)))
        assert event is not None
        world.tick(event)
    assert world.records[ID].state is DispatchState.COMPLETED
    assert (world.transitions, world.commands) == (2 * count + 4, count)


def test_a_wide_fan_is_released_in_one_step() -> None:
    """All 1,000 children start in the step in which their parent completes."""
    scheduler, _ = running(fan(1000), limits={"local": 2000})
    step = told(scheduler, succeeded(0))
    assert (len(step.transitions), len(step.commands)) == (1001, 1000)


def test_repeated_failures_leave_no_trace_in_later_dispatches() -> None:
    """A failed dispatch frees all its places."""
    world = World({"local": 1}, {(DispatchId("bad"), NodeId(0)): [FAIL]})
    world.submit(DispatchId("bad"), chain(3), [NodePolicy()])
    world.submit(DispatchId("good"), chain(3), [NodePolicy()])
    world.settle()
    assert [r.state for r in world.records.values()] == [DispatchState.FAILED, DispatchState.COMPLETED]
