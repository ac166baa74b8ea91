import type { FieldSchema, FieldType, MessageSchema } from './schema.ts';

/** A field and how it is written. */
export interface FieldPlan {
  readonly at: number;
  readonly field: FieldSchema;
  readonly always: boolean;
  /** `"name":`. */
  readonly prefix: string;
}

/** The fields of a message in the order in which they are written. */
interface MessagePlan {
  readonly fields: readonly FieldPlan[];
  readonly byName: ReadonlyMap<string, FieldPlan>;
  readonly always: readonly FieldPlan[];
}

const plans = new WeakMap<MessageSchema, MessagePlan>();
const leading = ['kind', 'apiVersion', 'metadata'];

/** The fields to look at, in the order in which they are written: of a message that could have many, those that the object has. */
export function fieldsToWrite(object: object, message: MessageSchema): readonly FieldPlan[] {
  const { fields, byName, always } = planOf(message);
  if (fields.length < 12) return fields;
  const names = Object.keys(object);
  if (names.length === 1 && always.length === 0) {
    const only = byName.get(names[0] ?? '');
    return only ? [only] : [];
  }
  if ((names.length + always.length) * 4 > fields.length) return fields;
  const present = names.flatMap((name) => byName.get(name) ?? []);
  if (always.length > 0) present.push(...always.filter(({ field }) => !Object.hasOwn(object, field.name)));
  return present.length > 1 ? present.sort((a, b) => a.at - b.at) : present;
}

/** What Go writes as `null` when it is empty and has to be written. */
export function isCollection({ type }: FieldType): boolean {
  return type === 'list' || type === 'map' || type === 'bytes';
}

function planOf(message: MessageSchema): MessagePlan {
  const known = plans.get(message);
  if (known) return known;
  const always = new Set(message.alwaysWritten);
  const first = leading.flatMap((name) => message.fields.get(name) ?? []);
  const rest = [...message.fields.values()]
    .filter(({ name }) => !leading.includes(name))
    .sort((a, b) => byPosition(positionOf(a), positionOf(b)));
  const fields = [...first, ...rest].map((field, at) => ({
    at,
    field,
    always: always.has(field),
    prefix: `${JSON.stringify(field.name)}:`,
  }));
  const byName = new Map(fields.map((one) => [one.field.name, one]));
  const plan = { fields, byName, always: fields.filter((one) => one.always) };
  plans.set(message, plan);
  return plan;
}

function positionOf({ through = [], number }: FieldSchema): readonly number[] {
  return [...through, number];
}

function byPosition(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
