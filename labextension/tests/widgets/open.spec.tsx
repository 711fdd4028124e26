import { fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';

import { OPEN_EVENT } from '../../src/contract/open';
import { plainTexts } from '../../src/graph/style';
import { DispatchModel, NodeModel } from '../../src/model';
import { NodeView } from '../../src/widgets/node/node';
import { OpenLink } from '../../src/widgets/parts';
import { detail, FakeFeed, FakeRest, NODE, viewActions } from '../fakes';

const asked = vi.fn((event: Event) => (event as CustomEvent).detail);
document.addEventListener(OPEN_EVENT, asked);

afterEach(() => asked.mockClear());

it('a link asks for a node of a dispatch, and for nothing else', () => {
  const request = { dispatchId: 'outer', nodeId: 3, name: 'the whole' };
  render(
    <OpenLink request={request} className="" title="Back">
      the whole
    </OpenLink>
  );
  fireEvent.click(screen.getByRole('button', { name: 'the whole' }));
  expect(asked).toHaveReturnedWith({ dispatchId: 'outer', nodeId: 3 });
});

it('a node that became a dispatch offers to open it; others do not', async () => {
  const rest = new FakeRest();
  rest.details.set('a', detail('a'));
  const node = { kind: 'sublattice', name: ':sublattice:part', status: 'DISPATCHING' } as const;
  rest.nodeDetail = { ...NODE, ...node, sub_dispatch_id: 'inner' };
  const dispatch = new DispatchModel({ rest, feed: new FakeFeed(), dispatchId: 'a' });
  const model = new NodeModel({ dispatch, nodeId: 0 });
  await model.load();
  const { rerender } = render(
    <NodeView dispatch={dispatch} node={model} texts={plainTexts} actions={viewActions()} />
  );
  fireEvent.click(screen.getByRole('button', { name: 'Open sublattice' }));
  expect(asked).toHaveReturnedWith({ dispatchId: 'inner', nodeId: undefined });
  rest.nodeDetail = { ...NODE, sub_dispatch_id: null };
  await model.load();
  rerender(
    <NodeView dispatch={dispatch} node={model} texts={plainTexts} actions={viewActions()} />
  );
  expect(screen.queryByRole('button', { name: 'Open sublattice' })).toBeNull();
});
