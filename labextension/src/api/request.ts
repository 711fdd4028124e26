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
    throw new ApiError(`The server cannot be reached (${String(reason)}).`, 'unreachable', 0);
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
    const message = `The server answered ${response.status} ${response.statusText}.`;
    return new ApiError(message, `http_${response.status}`, response.status);
  }
}
