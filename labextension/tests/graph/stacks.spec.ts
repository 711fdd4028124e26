import { describe, expect, it } from 'vitest';

import { countStates, MIN_STACK, stackGraph, stackStates } from '../../src/graph/stacks';
import type { IStacks } from '../../src/graph/stacks';
import {
  COMPLETED,
  FAILED,
  PENDING,
  RUNNING,
  statesFromColumns,
  statusName
} from '../../src/graph/states';
import { prettyLabel, structureFromWire, withPrettyLabels } from '../../src/graph/structure';
import { EVERYTHING, executorsOf, findNodes, isEverything, nextFound } from '../../src/graph/find';
import { chain, columns, graph, randomGraph } from '../fakes';

/** `width` lanes of load and fit between one split and one join; every load has a parameter. */
function lanes(width: number) {
  const ids = Array.from({ length: width }, (_, index) => index);
  return graph(
    [
      ['split', 'function'],
      ...ids.map(() => ['load', 'function'] as const),
      ...ids.map(() => ['fit', 'function'] as const),
      ['join', 'function'],
      ...ids.map(id => [`:parameter:${id}`, 'parameter'] as const)
    ],
    ids.flatMap(id => [
      [0, 1 + id, 'x'] as const,
      [1 + id, 1 + width + id, 'x'] as const,
      [1 + width + id, 1 + 2 * width, `arg[${id}]`] as const,
      [2 + 2 * width + id, 1 + id, 'n'] as const
    ])
  );
}

describe('stackGraph', () => {
  it('makes one node of each step of a repeated pattern, and one edge of each step between', () => {
    const { structure, members } = stackGraph(structureFromWire(lanes(1000))) as IStacks;
    expect(structure.labels).toEqual(['split', 'load ×1000', 'fit ×1000', 'join', '1000 values']);
    expect(members.map(ids => ids.length)).toEqual([1, 1000, 1000, 1, 1000]);
    const edges = [...structure.source].map((source, edge) => [source, structure.target[edge]]);
    expect(edges.sort()).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [4, 1]
    ]);
  });

  it('finds every node in exactly one drawn node', () => {
    const structure = structureFromWire(lanes(20));
    const stacks = stackGraph(structure) as IStacks;
    expect([...stacks.members.flat()].sort((a, b) => a - b)).toEqual(
      structure.names.map((_, id) => id)
    );
    stacks.members.forEach((ids, index) => ids.forEach(id => expect(stacks.drawn[id]).toBe(index)));
  });

  it('leaves a chain of equal nodes, small fans and graphs without a pattern alone', () => {
    const same = graph(
      Array.from({ length: 30 }, () => ['step', 'function'] as const),
      Array.from({ length: 29 }, (_, id) => [id, id + 1, 'x'] as const)
    );
    expect(stackGraph(structureFromWire(same))).toBeNull();
    expect(stackGraph(structureFromWire(lanes(MIN_STACK - 1)))).toBeNull();
    expect(stackGraph(structureFromWire(randomGraph(50, 1)))).toBeNull();
  });

  it('keeps fans apart that lead to different nodes', () => {
    const ids = Array.from({ length: 20 }, (_, id) => id);
    const wire = graph(
      [
        ...ids.map(() => ['work', 'function'] as const),
        ['left', 'function'],
        ['right', 'function']
      ],
      ids.map(id => [id, id < 10 ? 20 : 21, 'x'] as const)
    );
    const stacks = stackGraph(structureFromWire(wire)) as IStacks;
    expect(stacks.members.map(members => members.length)).toEqual([10, 10, 1, 1]);
  });

  it('shows the nodes of the stacks that were opened', () => {
    const { structure } = stackGraph(structureFromWire(lanes(12)), new Set([3])) as IStacks;
    expect(structure.labels.filter(label => label === 'load')).toHaveLength(12);
    expect(structure.labels).toContain('fit ×12');
  });
});

describe('stackStates', () => {
  const structure = structureFromWire(lanes(10));
  const stacks = stackGraph(structure) as IStacks;
  const load = stacks.structure.labels.indexOf('load ×10');
  const statusWith = (rows: [number, string][]) => {
    const states = stackStates(stacks, statesFromColumns(structure, columns(0, rows)));
    return statusName(states.status[load]);
  };
  const all = (status: string) => stacks.members[load].map(id => [id, status] as [number, string]);

  it('shows of a stack the state that needs the eye most', () => {
    expect(statusWith([])).toBe('NEW_OBJECT');
    expect(statusWith(all('COMPLETED').slice(0, 4))).toBe('RUNNING');
    expect(statusWith(all('COMPLETED'))).toBe('COMPLETED');
    expect(
      statusWith([
        [1, 'FAILED'],
        [2, 'RUNNING']
      ])
    ).toBe('FAILED');
    expect(
      statusWith([
        [1, 'CANCELLED'],
        [2, 'RUNNING']
      ])
    ).toBe('RUNNING');
    expect(statusWith([...all('PENDING_REUSE')])).toBe('PENDING_REUSE');
  });

  it('counts the members by state, what needs the eye first', () => {
    const states = statesFromColumns(
      structure,
      columns(0, [
        [1, 'COMPLETED'],
        [2, 'FAILED'],
        [3, 'RUNNING']
      ])
    );
    expect([...countStates(stacks.members[load], states)]).toEqual([
      [FAILED, 1],
      [RUNNING, 1],
      [PENDING, 7],
      [COMPLETED, 1]
    ]);
  });

  it('begins with the first member and ends when all have ended', () => {
    const states = statesFromColumns(structure, columns(0, all('COMPLETED')));
    stacks.members[load].forEach((id, index) => {
      states.startedAt[id] = 100 - index;
      states.endedAt[id] = 200 + index;
    });
    expect(stackStates(stacks, states).startedAt[load]).toBe(91);
    expect(stackStates(stacks, states).endedAt[load]).toBe(209);
    states.endedAt[stacks.members[load][4]] = NaN;
    expect(stackStates(stacks, states).endedAt[load]).toBeNaN();
  });
});

describe('findNodes', () => {
  const structure = structureFromWire(chain(4));
  const states = statesFromColumns(
    structure,
    columns(0, [
      [0, 'COMPLETED'],
      [2, 'FAILED']
    ])
  );

  it('finds by part of the name, by id, by status and by executor, and by all of them', () => {
    expect(findNodes(structure, states, { ...EVERYTHING, text: 'TASK' })).toEqual([0, 1, 2, 3]);
    expect(findNodes(structure, states, { ...EVERYTHING, text: '#2' })).toEqual([2]);
    expect(findNodes(structure, states, { ...EVERYTHING, status: 'FAILED' })).toEqual([2]);
    expect(findNodes(structure, states, { ...EVERYTHING, executor: 'slurm' })).toEqual([]);
    expect(
      findNodes(structure, states, { text: 'task', status: 'COMPLETED', executor: 'local' })
    ).toEqual([0]);
  });

  it('finds no status where nothing runs', () => {
    expect(findNodes(structure, null, { ...EVERYTHING, status: 'FAILED' })).toEqual([]);
    expect([isEverything(EVERYTHING), isEverything({ ...EVERYTHING, text: ' ' })]).toEqual([
      true,
      true
    ]);
  });

  it('goes round in both directions', () => {
    expect([nextFound([2, 5], null, 1), nextFound([2, 5], 2, 1), nextFound([2, 5], 5, 1)]).toEqual([
      2, 5, 2
    ]);
    expect([
      nextFound([2, 5], null, -1),
      nextFound([2, 5], 5, -1),
      nextFound([2, 5], 2, -1)
    ]).toEqual([5, 2, 5]);
    expect(nextFound([], 1, 1)).toBeNull();
  });

  it('names the executors of tasks once each', () => {
    expect(executorsOf(structure)).toEqual(['local']);
  });
});

describe('labels in words', () => {
  it('have no marks of code, and capitals', () => {
    expect(['train_model', 'np.mean', 'a__b', 'größe_ändern', 'GPU_job'].map(prettyLabel)).toEqual([
      'Train Model',
      'Np Mean',
      'A B',
      'Größe Ändern',
      'GPU Job'
    ]);
  });

  it('leave the values of parameters as they are', () => {
    const { labels } = withPrettyLabels(structureFromWire(chain(1)));
    expect(labels).toEqual(['Task 0', '5', 'Result']);
  });
});
