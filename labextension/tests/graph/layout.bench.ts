/** How long the layout of large graphs takes: `jlpm bench`. */

import { bench } from 'vitest';

import { layoutGraph } from '../../src/graph/layout';
import { structureFromWire } from '../../src/graph/structure';
import { fan, randomGraph } from '../fakes';

const OPTIONS = { orientation: 'down', showParameters: true, showPostprocess: true } as const;
const deep = structureFromWire(randomGraph(10_000, 4));
const wide = structureFromWire(fan(10_000));

bench('10,000 nodes, random and deep', () => {
  layoutGraph(deep, OPTIONS);
});

bench('10,000 nodes, one fan', () => {
  layoutGraph(wide, OPTIONS);
});
