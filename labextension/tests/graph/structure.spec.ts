import { describe, expect, it } from 'vitest';

import { FAILED, nextFailed, statesFromColumns, statusName } from '../../src/graph/states';
import { neighbours, nodeLabel, structureFromWire } from '../../src/graph/structure';
import { chain, columns, graph } from '../fakes';

describe('nodeLabel', () => {
  it('leaves out prefixes that mark the kind', () => {
    expect(nodeLabel(':parameter:[1, 2]', 'parameter')).toBe('[1, 2]');
    expect(nodeLabel(':electron_list:', 'electron_list')).toBe('list');
    expect(nodeLabel(':sublattice:fit', 'sublattice')).toBe('fit');
    expect(nodeLabel(':split()[0]', 'function')).toBe('split()[0]');
    expect(nodeLabel(':t.__getattr__', 'function')).toBe('t attribute');
  });

  it('shortens what would not fit, on one line', () => {
    const label = nodeLabel(`:parameter:${'ab\n'.repeat(100)}`, 'parameter');
    expect(label.length).toBe(70);
    expect(label).not.toContain('\n');
  });
});

describe('structureFromWire', () => {
  it('draws one edge between two nodes and names it by all', () => {
    const wire = graph(
      [
        ['a', 'function'],
        ['b', 'function']
      ],
      [
        [0, 1, '!waiting_edge'],
        [0, 1, 'x'],
        [0, 1, 'y'],
        [0, 1, 'node:0']
      ]
    );
    const structure = structureFromWire(wire);
    expect([...structure.source]).toEqual([0]);
    expect(structure.edgeLabels).toEqual(['x, y']);
    expect([...structure.isWait]).toEqual([0]);
  });

  it('finds what feeds a node and what it feeds', () => {
    expect(neighbours(structureFromWire(chain(3)), 1)).toEqual({ sources: [0], targets: [2] });
  });
});

describe('statesFromColumns', () => {
  it('starts with complete parameters and pending nodes, then follows the columns', () => {
    const structure = structureFromWire(chain(2));
    const states = statesFromColumns(
      structure,
      columns(3, [
        [1, 'RUNNING'],
        [99, 'FAILED']
      ])
    );
    expect([...states.status].map(statusName)).toEqual([
      'NEW_OBJECT',
      'RUNNING',
      'COMPLETED',
      'NEW_OBJECT'
    ]);
    expect(states.startedAt[1]).toBe(101);
  });
});

describe('nextFailed', () => {
  const states = statesFromColumns(structureFromWire(chain(5)), null);

  it('is null while nothing has failed', () => {
    expect(nextFailed(states, null)).toBeNull();
    expect(nextFailed(states, 3)).toBeNull();
  });

  it('goes from one failed node to the next, and begins again', () => {
    states.status[1] = states.status[3] = FAILED;
    expect(nextFailed(states, null)).toBe(1);
    expect(nextFailed(states, 1)).toBe(3);
    expect(nextFailed(states, 3)).toBe(1);
    expect(nextFailed(states, 99)).toBe(1);
  });
});
