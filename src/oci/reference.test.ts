import { describe, expect, it } from 'vitest';
import { canonicalName, parseReference } from './reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['team/app', 'docker.io/team/app:latest'],
    ['index.docker.io/library/redis:7', 'docker.io/library/redis:7'],
    ['localhost/app', 'localhost/app:latest'],
    ['127.0.0.1:5000/a/b:v1', '127.0.0.1:5000/a/b:v1'],
    ['registry.k8s.io/redis:e2e', 'registry.k8s.io/redis:e2e'],
    ['gcr.io/google_samples/gb-redisslave:v1', 'gcr.io/google_samples/gb-redisslave:v1'],
    [`ghcr.io/x/y@${digest}`, `ghcr.io/x/y@${digest}`],
    [`ghcr.io/x/y:v2@${digest}`, `ghcr.io/x/y:v2@${digest}`],
  ])('%s is %s', (text, name) => {
    expect(canonicalName(parseReference(text))).toBe(name);
  });

  it.each(['', 'Busybox', 'a//b', 'a:', 'a@sha256:12', 'a b', '-x', 'x/../y', 'host:port/x'])(
    'refuses %j',
    (text) => {
      expect(() => parseReference(text)).toThrow(/couldn't parse image name/);
    },
  );
});
