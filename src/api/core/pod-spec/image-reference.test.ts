import { describe, expect, it } from 'vitest';
import { defaultPullPolicy, imageTag } from './image-reference.ts';

describe('imageTag', () => {
  it.each([
    ['nginx', 'latest'],
    ['nginx:1.19', '1.19'],
    ['localhost:5000/team/app', 'latest'],
    ['localhost:5000/team/app:v2', 'v2'],
    [`registry.example.com/app@sha256:${'0'.repeat(64)}`, ''],
    [`registry.example.com/app:v1@sha256:${'0'.repeat(64)}`, 'v1'],
    ['Upper/Case', ''],
    ['', ''],
  ])('of %s is "%s"', (image, tag) => {
    expect(imageTag(image)).toBe(tag);
  });

  it('pulls always only what is latest', () => {
    expect(['nginx', 'nginx:latest', 'nginx:1', ''].map(defaultPullPolicy)).toEqual([
      'Always',
      'Always',
      'IfNotPresent',
      'IfNotPresent',
    ]);
  });
});
