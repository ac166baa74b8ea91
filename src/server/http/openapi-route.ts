import { openapiHandler, type OpenapiOptions } from '../openapi/routes.ts';
import type { PathRoute } from './path-routes.ts';

/** Serves the OpenAPI documents under `/openapi`. */
export function openapiRoute(options: OpenapiOptions): PathRoute {
  const handle = openapiHandler(options);
  return async ({ path, query, headers }) => {
    const answer = await handle({
      path,
      query,
      accept: headers.accept,
      ifNoneMatch: headers['if-none-match'],
    });
    if (!answer || answer.status === 404) return undefined;
    const { 'content-type': contentType = 'application/json', ...rest } = answer.headers;
    return { code: answer.status, contentType, headers: rest, body: answer.body };
  };
}
