import { expect, it } from 'vitest';
import { kubeletAttributes } from './kubelet-attributes.ts';

it.each([
  ['GET', '/metrics', 'get', 'metrics'],
  ['GET', '/metrics/cadvisor', 'get', 'metrics'],
  ['GET', '/stats/summary', 'get', 'stats'],
  ['GET', '/logs/', 'get', 'log'],
  ['GET', '/pods', 'get', 'pods proxy'],
  ['GET', '/runningpods/', 'get', 'pods proxy'],
  ['GET', '/healthz', 'get', 'healthz proxy'],
  ['GET', '/configz', 'get', 'configz proxy'],
  ['GET', '/containerLogs/default/x/c', 'get', 'proxy'],
  ['POST', '/exec/default/x/c', 'create', 'proxy'],
  ['GET', '/constructor', 'get', 'proxy'],
])('%s %s asks for %s of %s', (method, path, verb, subresources) => {
  expect(kubeletAttributes(method, path)).toEqual({ verb, subresources: subresources.split(' ') });
});
