import { RecentMap } from '../../base/recent-map.ts';
import { setOwn } from '../json/own-property.ts';
import type { FieldSet } from './field-set.ts';

type Json = Readonly<Record<string, unknown>>;

/** A part of a `fieldsV1`, frozen, with its text. */
export interface SharedFields {
  readonly text: string;
  readonly object: Json;
  /** The fields that it names, once somebody has read them. */
  set?: FieldSet;
}

const capacity = 16_384;
const byObject = new Map<unknown, SharedFields>();
const known = new RecentMap<string, SharedFields>(capacity, ({ object }) => byObject.delete(object));

/** What stands at a field below which nothing is named. */
export const leaf: SharedFields = { text: '{}', object: Object.freeze({}) };

/**
 * The one object that has these members in this order. What was made of one template is owned alike, so that thousands of objects
 * hold the same few parts; the last 16,384 and some more are remembered.
 */
export function shareFields(members: readonly (readonly [string, SharedFields])[]): SharedFields {
  if (members.length === 0) return leaf;
  let inner = '';
  for (const [name, { text }] of members) inner += `${inner === '' ? '' : ','}${quote(name)}:${text}`;
  const text = `{${inner}}`;
  const found = known.get(text);
  if (found) return found;
  const object: Record<string, unknown> = {};
  for (const [name, member] of members) setOwn(object, name, member.object);
  const made: SharedFields = { text, object: Object.freeze(object) };
  known.set(text, made);
  byObject.set(made.object, made);
  return made;
}

const quoted = new RecentMap<string, string>(capacity);

function quote(name: string): string {
  let text = quoted.get(name);
  if (text === undefined) quoted.set(name, (text = JSON.stringify(name)));
  return text;
}

/** The shared part that an object is, if it is one that is remembered. */
export function sharedPart(object: unknown): SharedFields | undefined {
  return byObject.get(object);
}

/** The same for a `fieldsV1` that was read; undefined for what is none. */
export function sharedForm(value: unknown): SharedFields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const members: (readonly [string, SharedFields])[] = [];
  for (const [name, member] of Object.entries(value)) {
    const inner = sharedForm(member);
    if (!inner) return undefined;
    members.push([name, inner]);
  }
  return shareFields(members);
}
