/** One request to the interface, and what its refusal says. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { ApiError } from './errors';

/** Path of the interface below the base URL of the server. */
export const API_PATH = 'covalent/api/v1';

/** Sends a request; throws an `ApiError` where it is refused or the server cannot be reached. */
export async function request(
  settings: ServerConnection.ISettings,
  path: string,
  init: RequestInit = {}
): Promise<Response> {
  const url = URLExt.join(settings.baseUrl, API_PATH, '/') + path;
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch (reason) {
    const message = `The server cannot be reached (${String(reason)}). Check that Jupyter runs, then try again.`;
    throw new ApiError(message, 'unreachable', 0);
  }
  if (!response.ok) {
    throw await readError(response);
  }
  return response;
}

/** The same, for an answer that is JSON. */
export async function requestJson<T>(
  settings: ServerConnection.ISettings,
  path: string,
  init: RequestInit = {}
): Promise<T> {
  return (await (await request(settings, path, init)).json()) as T;
}

async function readError(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new ApiError(error.message, error.code, response.status);
  } catch {
    const message = `The server answered ${response.status} ${response.statusText}. ${advice(response.status)}`;
    return new ApiError(message, `http_${response.status}`, response.status);
  }
}

/** What to do about an answer that does not say it itself. */
function advice(status: number): string {
  if (status === 401 || status === 403) {
    return 'Reload the page to log in again.';
  }
  return status === 404
    ? 'Check with "jupyter server extension list" that covalent_lab_server is enabled.'
    : 'The log of Jupyter says why.';
}
