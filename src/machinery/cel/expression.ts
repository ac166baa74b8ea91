import type { CelUint } from './value.ts';

/** A constant as written in an expression: int as bigint, double as number. */
export type CelLiteral = null | boolean | bigint | number | string | Uint8Array | CelUint;

interface Node {
  /** Unique within its expression. */
  readonly id: number;
  /** Where cel-go reports problems of this node, in code points. */
  readonly offset: number;
}

export interface LiteralExpression extends Node {
  readonly kind: 'literal';
  readonly value: CelLiteral;
}

export interface IdentExpression extends Node {
  readonly kind: 'ident';
  readonly name: string;
}

export interface SelectExpression extends Node {
  readonly kind: 'select';
  readonly operand: Expression;
  readonly field: string;
  /** From `has()`: asks for presence only. */
  readonly testOnly: boolean;
}

export interface CallExpression extends Node {
  readonly kind: 'call';
  readonly name: string;
  readonly target?: Expression;
  readonly args: readonly Expression[];
}

export interface ListExpression extends Node {
  readonly kind: 'list';
  readonly items: readonly Expression[];
  /** Indices of items written `?item`. */
  readonly optional: ReadonlySet<number>;
}

export interface MapEntryExpression extends Node {
  readonly key: Expression;
  readonly value: Expression;
  readonly optional: boolean;
}

export interface MapExpression extends Node {
  readonly kind: 'map';
  readonly entries: readonly MapEntryExpression[];
}

export interface StructFieldExpression extends Node {
  readonly name: string;
  readonly value: Expression;
  readonly optional: boolean;
}

export interface StructExpression extends Node {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly StructFieldExpression[];
}

/** What macros expand to: a fold over a list's items or a map's keys (with two variables: keys and values). */
export interface ComprehensionExpression extends Node {
  readonly kind: 'comprehension';
  readonly variable: string;
  readonly variable2?: string;
  readonly range: Expression;
  readonly accumulator: string;
  readonly init: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
}

export type Expression =
  | LiteralExpression
  | IdentExpression
  | SelectExpression
  | CallExpression
  | ListExpression
  | MapExpression
  | StructExpression
  | ComprehensionExpression;
