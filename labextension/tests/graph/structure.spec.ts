import { describe, expect, it } from 'vitest';

import { statesFromColumns, statusName } from '../../src/graph/states';
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
