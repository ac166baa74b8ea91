import { randomInt, randomUUID } from 'node:crypto';
import { timestamp } from '../../base/clock.ts';
import type { ObjectMeta } from '../../machinery/meta/v1.gen.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const longestBase = 58;

/** A name from `generateName`, as upstream's SimpleNameGenerator makes it: cut to 58 characters and five random ones. */
export function generatedName(base: string): string {
  let suffix = '';
  for (let count = 0; count < 5; count++) suffix += suffixAlphabet[randomInt(suffixAlphabet.length)] ?? '';
  return `${base.slice(0, longestBase)}${suffix}`;
}

/** Sets the object's namespace to the request's. Throws a BadRequest when it has another. */
export function matchNamespace(
  metadata: DeepMutable<ObjectMeta>,
  namespaced: boolean,
  namespace: string | undefined,
): void {
  const wanted = namespaced ? (namespace ?? '') : '';
  if (metadata.namespace === undefined || metadata.namespace === '') {
    if (wanted !== '') metadata.namespace = wanted;
    return;
  }
  if (metadata.namespace === wanted) return;
  if (!namespaced) {
    delete metadata.namespace;
    return;
  }
  throw newBadRequest(
    'the namespace of the provided object does not match the namespace sent on the request',
  );
}

/** Drops what a new object may not bring. */
export function wipeSystemMeta({ metadata }: DeepMutable<KubeObject>): void {
  delete metadata.creationTimestamp;
  delete metadata.uid;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

/** Fills what only the server may set on a new object, and drops what it may not carry. */
export function fillSystemMeta(object: DeepMutable<KubeObject>, now: number): void {
  const { metadata } = object;
  metadata.creationTimestamp = timestamp(now);
  metadata.uid = randomUUID();
  if (!metadata.name && metadata.generateName) metadata.name = generatedName(metadata.generateName);
  delete metadata.selfLink;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
}
