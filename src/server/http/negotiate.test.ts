import { describe, expect, it } from 'vitest';
import { bodyMediaType, negotiate } from './negotiate.ts';

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

describe('negotiate', () => {
  it.each([
    [undefined, 'application/json Object'],
    ['*/*', 'application/json Object'],
    ['application/yaml', 'application/yaml Object'],
    ['application/vnd.kubernetes.protobuf,application/json', 'application/vnd.kubernetes.protobuf Object'],
    ['application/json;q=0.5, application/yaml', 'application/yaml Object'],
    [`${table},application/json`, 'application/json Table'],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io', 'application/json Table'],
    ['application/json;as=Table;v=v9;g=meta.k8s.io,application/json', 'application/json Object'],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      'application/json PartialObjectMetadataList',
    ],
  ])('%s', (accept, expected) => {
    const { mediaType, shape } = negotiate(accept);
    expect(`${mediaType} ${shape}`).toBe(expected);
  });

  it('refuses what it cannot write', () => {
    expect(() => negotiate('text/html')).toThrow(
      '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml',
    );
    expect(() => negotiate('application/json;as=Nothing;g=meta.k8s.io;v=v1')).toThrow(
      'only the following media types are accepted: application/json',
    );
  });

  it('refuses what it cannot read', () => {
    expect(bodyMediaType('application/json; charset=utf-8')).toBe('application/json');
    expect(() => bodyMediaType('text/plain')).toThrow('the body of the request was in an unknown format');
  });
});
