import { describe, expect, it } from 'vitest';
import { invalid, required } from '../field-error.ts';
import type { StatusError } from '../status-error.ts';
import * as errors from './errors.ts';

const pods = { group: '', resource: 'pods' };
const deployments = { group: 'apps', resource: 'deployments' };

describe('status errors', () => {
  it.each<[StatusError, number, string, string]>([
    [errors.newNotFound(deployments, 'x'), 404, 'NotFound', 'deployments.apps "x" not found'],
    [errors.newAlreadyExists(pods, 'x'), 409, 'AlreadyExists', 'pods "x" already exists'],
    [
      errors.newConflict(pods, 'x'),
      409,
      'Conflict',
      'Operation cannot be fulfilled on pods "x": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [errors.newForbidden(pods, 'x', 'no'), 403, 'Forbidden', 'pods "x" is forbidden: no'],
    [errors.newForbidden(deployments, '', 'no'), 403, 'Forbidden', 'deployments.apps is forbidden: no'],
    [errors.newForbidden({ group: '', resource: '' }, '', 'no'), 403, 'Forbidden', 'forbidden: no'],
    [errors.newTooOldResourceVersion('1', '5'), 410, 'Expired', 'too old resource version: 1 (5)'],
    [
      errors.newTooLargeResourceVersion('9', '5'),
      504,
      'Timeout',
      'Timeout: Too large resource version: 9, current: 5',
    ],
    [errors.newInternalError('boom'), 500, 'InternalError', 'Internal error occurred: boom'],
    [
      errors.newRequestEntityTooLarge('limit is 3145728'),
      413,
      'RequestEntityTooLarge',
      'Request entity too large: limit is 3145728',
    ],
    [
      errors.newMethodNotAllowed(),
      405,
      'MethodNotAllowed',
      'the server does not allow this method on the requested resource',
    ],
    [
      errors.newGenericServerResponse({ code: 404 }),
      404,
      'NotFound',
      'the server could not find the requested resource',
    ],
    [
      errors.newGenericServerResponse({ code: 503, method: 'GET', resource: pods, name: 'x' }),
      503,
      'ServiceUnavailable',
      'the server is currently unable to handle the request (get pods x)',
    ],
    [errors.newNotFound(pods, 'a\u0007"'), 404, 'NotFound', 'pods "a\\a\\"" not found'],
  ])('%s', (error, code, reason, message) => {
    expect({ code: error.code, reason: error.reason, message: error.message }).toEqual({
      code,
      reason,
      message,
    });
  });

  it('puts every field error into causes and the message', () => {
    const found = [required('spec.a'), invalid('spec.b', 'x', 'is bad')];
    expect(errors.newInvalid({ group: 'apps', kind: 'Deployment' }, 'd', found).status).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Deployment.apps "d" is invalid: [spec.a: Required value, spec.b: Invalid value: "x": is bad]',
      reason: 'Invalid',
      details: {
        name: 'd',
        group: 'apps',
        kind: 'Deployment',
        causes: [
          { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.a' },
          { reason: 'FieldValueInvalid', message: 'Invalid value: "x": is bad', field: 'spec.b' },
        ],
      },
      code: 422,
    });
  });

  it('says once what several causes repeat', () => {
    const error = errors.newInvalid({ group: '', kind: 'Pod' }, 'p', [required('a'), required('a')]);
    expect(error.message).toBe('Pod "p" is invalid: a: Required value');
  });
});
