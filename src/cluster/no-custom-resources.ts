import type { PathRoute } from '../server/http/path-routes.ts';

const emptyList = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinitionList',
  metadata: { resourceVersion: '1' },
  items: [],
};

/**
 * Answers the list of custom resource definitions, though the group is not served: before kubectl says that there is no such
 * kind it asks whether one of them defines it, and takes anything but a list for a failure.
 */
export const noCustomResources: PathRoute = ({ path }) =>
  path === '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    ? { code: 200, contentType: 'application/json', body: Buffer.from(`${JSON.stringify(emptyList)}\n`) }
    : undefined;
