import type { FieldSchema, MessageSchema } from '../schema/schema.ts';

/** One protobuf field of a message: a field of the schema, or an embedded struct whose fields JSON shows in its place. */
type PlanEntry =
  | { readonly number: number; readonly field: FieldSchema }
  | { readonly number: number; readonly embedded: MessagePlan };

/** A message as protobuf sees it. */
export interface MessagePlan {
  /** In ascending order of numbers, which is the order of writing. */
  readonly entries: readonly PlanEntry[];
  readonly byNumber: ReadonlyMap<number, PlanEntry>;
}

const plans = new WeakMap<MessageSchema, MessagePlan>();

export function planOf(message: MessageSchema): MessagePlan {
  const known = plans.get(message);
  if (known) return known;
  const fields = [...message.fields.values()].filter(({ number }) => number !== 0);
  const plan = planFields(fields, 0);
  plans.set(message, plan);
  return plan;
}

/** The fields whose first `depth` embedded structs are those of the plan being made. */
function planFields(fields: readonly FieldSchema[], depth: number): MessagePlan {
  const entries: PlanEntry[] = [];
  const embedded = new Map<number, FieldSchema[]>();
  for (const field of fields) {
    const number = field.through?.[depth];
    if (number === undefined) entries.push({ number: field.number, field });
    else embedded.set(number, [...(embedded.get(number) ?? []), field]);
  }
  for (const [number, inner] of embedded) entries.push({ number, embedded: planFields(inner, depth + 1) });
  entries.sort((a, b) => a.number - b.number);
  return { entries, byNumber: new Map(entries.map((entry) => [entry.number, entry])) };
}
