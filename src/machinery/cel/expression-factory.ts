import type {
  CallExpression,
  CelLiteral,
  ComprehensionExpression,
  Expression,
  IdentExpression,
  ListExpression,
  LiteralExpression,
  MapEntryExpression,
  MapExpression,
  SelectExpression,
  StructExpression,
  StructFieldExpression,
} from './expression.ts';

/** Builds the nodes of one expression, numbering them. `offset` is where problems of the node are reported. */
export interface ExpressionFactory {
  nextId(): number;
  literal(offset: number, value: CelLiteral): LiteralExpression;
  ident(offset: number, name: string): IdentExpression;
  select(offset: number, operand: Expression, field: string): SelectExpression;
  testOnly(offset: number, operand: Expression, field: string): SelectExpression;
  call(offset: number, name: string, args: readonly Expression[]): CallExpression;
  memberCall(
    offset: number,
    call: { readonly target: Expression; readonly name: string; readonly args: readonly Expression[] },
  ): CallExpression;
  list(offset: number, items: readonly Expression[], optional?: ReadonlySet<number>): ListExpression;
  map(offset: number, entries: readonly MapEntryExpression[]): MapExpression;
  struct(offset: number, name: string, fields: readonly StructFieldExpression[]): StructExpression;
  comprehension(
    offset: number,
    parts: Omit<ComprehensionExpression, 'kind' | 'id' | 'offset'>,
  ): ComprehensionExpression;
}

/** A factory whose ids start at 1. */
export function expressionFactory(): ExpressionFactory {
  let last = 0;
  const node = (offset: number): { id: number; offset: number } => ({ id: ++last, offset });
  return {
    nextId: () => ++last,
    literal: (offset, value) => ({ ...node(offset), kind: 'literal', value }),
    ident: (offset, name) => ({ ...node(offset), kind: 'ident', name }),
    select: (offset, operand, field) => ({
      ...node(offset),
      kind: 'select',
      operand,
      field,
      testOnly: false,
    }),
    testOnly: (offset, operand, field) => ({
      ...node(offset),
      kind: 'select',
      operand,
      field,
      testOnly: true,
    }),
    call: (offset, name, args) => ({ ...node(offset), kind: 'call', name, args }),
    memberCall: (offset, { target, name, args }) => ({ ...node(offset), kind: 'call', name, target, args }),
    list: (offset, items, optional = new Set<number>()) => ({
      ...node(offset),
      kind: 'list',
      items,
      optional,
    }),
    map: (offset, entries) => ({ ...node(offset), kind: 'map', entries }),
    struct: (offset, name, fields) => ({ ...node(offset), kind: 'struct', name, fields }),
    comprehension: (offset, parts) => ({ ...node(offset), kind: 'comprehension', ...parts }),
  };
}
