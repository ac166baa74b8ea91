import type { PathRoute } from '../server/http/path-routes.ts';
import type { openapiHandler } from '../server/openapi/routes.ts';

/** Mounts the OpenAPI documents among the server's paths. */
export function openapiRoute(handle: ReturnType<typeof openapiHandler>): PathRoute {
  return ({ path, query, headers }) => {
    const answer = handle({ path, query, accept: headers.accept, ifNoneMatch: headers['if-none-match'] });
    if (!answer) return undefined;
    const { 'content-type': contentType = 'application/json', ...rest } = answer.headers;
    return { code: answer.status, contentType, body: Buffer.from(answer.body), headers: rest };
  };
}
