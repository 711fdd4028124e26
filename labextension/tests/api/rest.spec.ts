import { ServerConnection } from '@jupyterlab/services';
import { beforeEach, describe, expect, it } from 'vitest';

import { ApiError, RestClient } from '../../src/api';

describe('RestClient', () => {
  let requests: { url: string; method: string; body: string }[];
  let answer: Response;
  let rest: RestClient;

  beforeEach(() => {
    requests = [];
    rest = new RestClient({
      serverSettings: ServerConnection.makeSettings({
        baseUrl: 'http://127.0.0.1:8888/user/ada/',
        token: 'secret',
        fetch: async (input: RequestInfo | URL) => {
          const request = input as Request;
          requests.push({ url: request.url, method: request.method, body: await request.text() });
          return answer;
        }
      })
    });
  });

  it('builds addresses below the base URL of the server', async () => {
    answer = new Response('{"items": [], "total": 0, "counts": {}, "seq": 0}');
    await rest.list({
      search: 'a b',
      status: '',
      sort: 'name',
      direction: 'asc',
      offset: 0,
      count: 50
    });
    const url = new URL(requests[0].url);
    expect(url.pathname).toBe('/user/ada/covalent/api/v1/dispatches');
    expect(url.searchParams.get('search')).toBe('a b');
    expect(url.searchParams.get('count')).toBe('50');
  });

  it('escapes what goes into a path', async () => {
    answer = new Response('{}');
    await rest.detail('../x');
    expect(new URL(requests[0].url).pathname).toContain('dispatches/..%2Fx');
  });

  it('sends task ids of a cancellation, null for all', async () => {
    answer = new Response('{"message": "ok"}', { status: 202 });
    await rest.cancel('d');
    expect(requests[0]).toMatchObject({ method: 'POST', body: '{"task_ids":null}' });
  });

  it('asks for a repetition and says whether results are reused', async () => {
    answer = new Response('{"dispatch_id": "e"}', { status: 201 });
    expect(await rest.redispatch('d', true)).toEqual({ dispatch_id: 'e' });
    expect(new URL(requests[0].url).pathname).toContain('dispatches/d/redispatches');
    expect(requests[0]).toMatchObject({
      method: 'POST',
      body: '{"reuse_previous_results":true}'
    });
  });

  it('turns error bodies into errors with a code', async () => {
    answer = new Response('{"error": {"code": "dispatch_active", "message": "It runs."}}', {
      status: 409
    });
    const error = await rest.remove(['d']).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'dispatch_active', message: 'It runs.', status: 409 });
  });

  it('reports answers that are no error body by their status', async () => {
    answer = new Response('<html>proxy</html>', { status: 502, statusText: 'Bad Gateway' });
    await expect(rest.status()).rejects.toMatchObject({ code: 'http_502', status: 502 });
  });

  it.each([
    [403, 'Forbidden', 'Reload the page to log in again.'],
    [404, 'Not Found', 'covalent_lab_server is enabled'],
    [502, 'Bad Gateway', 'The log of Jupyter says why.']
  ])('says what to do about an answer %d that does not', async (status, statusText, advice) => {
    answer = new Response('{"message": "no", "reason": null}', { status, statusText });
    await expect(rest.status()).rejects.toThrow(`The server answered ${status} ${statusText}.`);
    answer = new Response('no', { status, statusText });
    await expect(rest.status()).rejects.toThrow(advice);
  });

  it('says what to do where the server is gone', async () => {
    const fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    const serverSettings = ServerConnection.makeSettings({ fetch });
    await expect(new RestClient({ serverSettings }).status()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/Failed to fetch.*Check that Jupyter runs, then try again\.$/)
    });
  });

  it('refuses a graph whose edges leave it', async () => {
    answer = new Response(
      JSON.stringify({
        version: 1,
        nodes: { name: ['a'], kind: ['function'] },
        edges: { source: [0], target: [4] }
      })
    );
    await expect(rest.graph('d')).rejects.toMatchObject({ code: 'bad_graph' });
  });

  it('deletes by a filter, and writes settings', async () => {
    answer = new Response('{"deleted": [], "missing": [], "active": []}');
    await rest.removeMatching({ search: 'fit', statuses: ['FAILED'] });
    answer = new Response('{"path": "", "fields": []}');
    await rest.saveConfig({ 'sdk.log_level': 'info' });
    expect(requests.map(({ method, body }) => [method, JSON.parse(body)])).toEqual([
      ['POST', { matching: { search: 'fit', statuses: ['FAILED'] } }],
      ['PUT', { values: { 'sdk.log_level': 'info' } }]
    ]);
  });
});
