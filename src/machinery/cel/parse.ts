import { CelCompileError } from './compile-error.ts';
import type { CelIssue } from './compile-error.ts';
import type { Expression, MapEntryExpression, StructFieldExpression } from './expression.ts';
import { expressionFactory } from './expression-factory.ts';
import type { ExpressionFactory } from './expression-factory.ts';
import { expandMacro } from './macros.ts';
import { OPERAND_START, SyntaxStop, syntaxReader } from './syntax.ts';
import type { SyntaxReader } from './syntax.ts';
import { tokenize } from './tokens.ts';
import type { Token } from './tokens.ts';
import { unescapeBytes, unescapeString } from './unescape-literal.ts';
import { uint } from './value.ts';

const MAX_DEPTH = 250;
const MAX_LENGTH = 100_000;

const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const RELATIONS = new Map([
  ['<', '_<_'],
  ['<=', '_<=_'],
  ['>=', '_>=_'],
  ['>', '_>_'],
  ['==', '_==_'],
  ['!=', '_!=_'],
  ['in', '@in'],
]);
const SUMS = new Map([
  ['+', '_+_'],
  ['-', '_-_'],
]);
const PRODUCTS = new Map([
  ['*', '_*_'],
  ['/', '_/_'],
  ['%', '_%_'],
]);

interface Parser {
  readonly reader: SyntaxReader;
  readonly make: ExpressionFactory;
  readonly issues: CelIssue[];
  depth: number;
}

/** Parses an expression and expands its macros. Throws `CelCompileError` with cel-go's messages. */
export function parseCel(source: string): Expression {
  const length = Array.from(source).length;
  if (length > MAX_LENGTH) {
    const message = `expression code point size exceeds limit: size: ${length}, limit ${MAX_LENGTH}`;
    throw new CelCompileError(source, [{ offset: 0, message }]);
  }
  const reader = syntaxReader(tokenize(source), source);
  const parser: Parser = { reader, make: expressionFactory(), issues: reader.issues, depth: 0 };
  const expression = parseAll(parser);
  if (expression === undefined || reader.issues.length > 0) throw new CelCompileError(source, reader.issues);
  return expression;
}

function parseAll(parser: Parser): Expression | undefined {
  try {
    const expression = parseExpression(parser);
    parser.reader.expect('<EOF>');
    return expression;
  } catch (error) {
    if (error instanceof SyntaxStop) return undefined;
    throw error;
  }
}

function parseExpression(parser: Parser): Expression {
  const { reader, make } = parser;
  parser.depth++;
  if (parser.depth > MAX_DEPTH) {
    reader.fail(reader.peek().start, `expression recursion limit exceeded: ${MAX_DEPTH}`);
  }
  const condition = parseOr(parser);
  const operator = reader.accept('?');
  if (!operator) {
    parser.depth--;
    return condition;
  }
  const truthy = parseOr(parser);
  reader.expect(':');
  const falsy = parseExpression(parser);
  parser.depth--;
  return make.call(operator.start, '_?_:_', [condition, truthy, falsy]);
}

function parseOr(parser: Parser): Expression {
  return parseLogical(parser, { text: '||', name: '_||_', operand: parseAnd });
}

function parseAnd(parser: Parser): Expression {
  return parseLogical(parser, { text: '&&', name: '_&&_', operand: parseRelation });
}

interface Logical {
  readonly text: string;
  readonly name: string;
  readonly operand: (parser: Parser) => Expression;
}

/** Chains of `&&` and `||` become balanced trees, as cel-go builds them. */
function parseLogical(parser: Parser, { text, name, operand }: Logical): Expression {
  const terms = [operand(parser)];
  const operators: Token[] = [];
  for (let token = parser.reader.accept(text); token; token = parser.reader.accept(text)) {
    operators.push(token);
    terms.push(operand(parser));
  }
  const balanced = (low: number, high: number): Expression => {
    const middle = Math.floor((low + high + 1) / 2);
    const left = middle === low ? terms[middle] : balanced(low, middle - 1);
    const right = middle === high ? terms[middle + 1] : balanced(middle + 1, high);
    const at = operators[middle]?.start ?? 0;
    return parser.make.call(
      at,
      name,
      [left, right].filter((term) => term !== undefined),
    );
  };
  const [first] = terms;
  return operators.length === 0 && first !== undefined ? first : balanced(0, operators.length - 1);
}

function parseBinary(
  parser: Parser,
  names: ReadonlyMap<string, string>,
  operand: (parser: Parser) => Expression,
): Expression {
  const { reader, make } = parser;
  let left = operand(parser);
  for (;;) {
    const token = reader.peek();
    const name = token.kind === 'punctuation' || token.kind === 'keyword' ? names.get(token.text) : undefined;
    if (name === undefined) return left;
    reader.take();
    left = make.call(token.start, name, [left, operand(parser)]);
  }
}

function parseRelation(parser: Parser): Expression {
  return parseBinary(parser, RELATIONS, parseSum);
}

function parseSum(parser: Parser): Expression {
  return parseBinary(parser, SUMS, parseProduct);
}

function parseProduct(parser: Parser): Expression {
  return parseBinary(parser, PRODUCTS, parseUnary);
}

function parseUnary(parser: Parser): Expression {
  const { reader, make } = parser;
  reader.sync(OPERAND_START);
  const token = reader.peek();
  const next = reader.peek(1);
  const isNumber = next.kind === 'int' || next.kind === 'float';
  if (reader.at('!') || (reader.at('-') && !isNumber)) {
    let count = 0;
    while (reader.accept(token.text)) count++;
    reader.sync(OPERAND_START.filter((name) => name !== "'!'" || token.text === '!'));
    const operand = parseMember(parser);
    return count % 2 === 0 ? operand : make.call(token.start, token.text === '!' ? '!_' : '-_', [operand]);
  }
  return parseMember(parser);
}

function parseMember(parser: Parser): Expression {
  const { reader, make } = parser;
  let operand = parsePrimary(parser);
  for (;;) {
    if (reader.at('.')) operand = parseSelection(parser, operand);
    else if (reader.at('[')) {
      const open = reader.take();
      reader.sync([...OPERAND_START, "'?'"]);
      const optional = reader.accept('?');
      const index = parseExpression(parser);
      reader.expect(']', 'operator');
      operand = make.call(open.start, optional ? '_[?_]' : '_[_]', [operand, index]);
    } else {
      return operand;
    }
  }
}

function parseSelection(parser: Parser, operand: Expression): Expression {
  const { reader, make } = parser;
  const dot = reader.take();
  const optional = reader.accept('?');
  const name = reader.peek();
  if (name.kind !== 'identifier' && name.kind !== 'escaped') return reader.noAlternative(dot);
  reader.take();
  if (name.kind === 'escaped') reader.fail(name.start, "unsupported syntax: '`'");
  if (optional) {
    const field = make.literal(name.start, name.text);
    return make.call(dot.start, '_?._', [operand, field]);
  }
  if (!reader.at('(')) return make.select(dot.start, operand, name.text);
  const open = reader.take();
  const args = parseArguments(parser);
  const expanded = expandMacro(
    { make, offset: open.start, name: name.text, target: operand, args },
    parser.issues,
  );
  return expanded ?? make.memberCall(open.start, { target: operand, name: name.text, args });
}

function parseArguments(parser: Parser): Expression[] {
  const { reader } = parser;
  reader.sync([...OPERAND_START, "')'"]);
  const args: Expression[] = [];
  if (!reader.at(')')) {
    do args.push(parseExpression(parser));
    while (reader.accept(','));
  }
  reader.expect(')', 'operator');
  return args;
}

function parsePrimary(parser: Parser): Expression {
  const { reader, make } = parser;
  const token = reader.peek();
  if (token.kind === 'identifier' || reader.at('.')) return parseName(parser);
  reader.take();
  switch (token.text) {
    case '(': {
      const inner = parseExpression(parser);
      reader.expect(')', 'operator');
      return inner;
    }
    case '[':
      return parseList(parser, token);
    case '{':
      return parseMap(parser, token);
    case 'true':
    case 'false':
      return make.literal(token.start, token.text === 'true');
    case 'null':
      return make.literal(token.start, null);
    default:
      return parseLiteral(parser, token);
  }
}

function parseLiteral({ reader, make }: Parser, token: Token): Expression {
  if (token.text === '-') {
    const number = reader.take();
    return make.literal(token.start, numberOf(reader, number, '-'));
  }
  if (token.kind === 'string') {
    const text = unescapeString(token.text);
    return make.literal(token.start, text ?? reader.fail(token.start, 'invalid unicode code point'));
  }
  if (token.kind === 'bytes') {
    const bytes = unescapeBytes(token.text);
    return make.literal(token.start, bytes ?? reader.fail(token.start, 'unable to unescape string'));
  }
  return make.literal(token.start, numberOf(reader, token, ''));
}

function numberOf(
  reader: SyntaxReader,
  token: Token,
  sign: string,
): bigint | number | ReturnType<typeof uint> {
  if (token.kind === 'float') {
    const value = Number(sign + token.text);
    return Number.isFinite(value) ? value : reader.fail(token.start, 'invalid double literal');
  }
  if (token.kind === 'uint') {
    const value = BigInt(token.text.slice(0, -1));
    return value < 1n << 64n ? uint(value) : reader.fail(token.start, 'invalid uint literal');
  }
  const magnitude = BigInt(token.text);
  const value = sign === '-' ? -magnitude : magnitude;
  return BigInt.asIntN(64, value) === value ? value : reader.fail(token.start, 'invalid int literal');
}

function parseName(parser: Parser): Expression {
  const { reader, make } = parser;
  const first = reader.peek();
  const dot = reader.accept('.');
  if (reader.peek().kind !== 'identifier') return reader.noAlternative(first);
  const messageLength = messageNameLength(reader);
  if (messageLength > 0) return parseStruct(parser, dot, messageLength);
  const name = reader.take();
  if (RESERVED.has(name.text)) reader.fail(name.start, `reserved identifier: ${name.text}`);
  const full = dot ? `.${name.text}` : name.text;
  if (!reader.at('(')) return make.ident(first.start, full);
  const open = reader.take();
  const args = parseArguments(parser);
  const expanded = expandMacro({ make, offset: open.start, name: name.text, args }, parser.issues);
  return expanded ?? make.call(open.start, full, args);
}

/** How many tokens of a dotted name stand before a `{`; 0 when this is no message. */
function messageNameLength(reader: SyntaxReader): number {
  let length = 1;
  while (reader.peek(length).text === '.' && reader.peek(length + 1).kind === 'identifier') length += 2;
  const next = reader.peek(length);
  return next.kind === 'punctuation' && next.text === '{' ? length : 0;
}

function parseStruct(parser: Parser, dot: Token | undefined, length: number): Expression {
  const { reader, make } = parser;
  let name = dot ? '.' : '';
  for (let index = 0; index < length; index++) name += reader.take().text;
  const open = reader.take();
  const fields: StructFieldExpression[] = [];
  reader.sync(["'}'", "','", "'?'", 'IDENTIFIER', 'ESC_IDENTIFIER']);
  while (!reader.at('}') && !reader.at(',')) {
    const optional = reader.accept('?') !== undefined;
    const field = reader.peek();
    if (field.kind !== 'identifier') reader.sync(['IDENTIFIER', 'ESC_IDENTIFIER']);
    const text = reader.take().text;
    const colon = reader.expect(':');
    const value = parseExpression(parser);
    fields.push({ id: make.nextId(), offset: colon.start, name: text, value, optional });
    if (!reader.at(',') || reader.peek(1).text === '}') break;
    reader.take();
  }
  closeAggregate(reader, '}');
  return make.struct(open.start, name, fields);
}

function closeAggregate(reader: SyntaxReader, close: string): void {
  reader.sync([`'${close}'`, "','"]);
  reader.accept(',');
  reader.expect(close, 'operator');
}

function parseList(parser: Parser, open: Token): Expression {
  const { reader, make } = parser;
  reader.sync([...OPERAND_START, "']'", "','", "'?'"]);
  const items: Expression[] = [];
  const optional = new Set<number>();
  while (!reader.at(']') && !reader.at(',')) {
    if (reader.accept('?')) optional.add(items.length);
    items.push(parseExpression(parser));
    if (!reader.at(',') || reader.peek(1).text === ']') break;
    reader.take();
  }
  closeAggregate(reader, ']');
  return make.list(open.start, items, optional);
}

function parseMap(parser: Parser, open: Token): Expression {
  const { reader, make } = parser;
  reader.sync([...OPERAND_START, "'}'", "','", "'?'"]);
  const entries: MapEntryExpression[] = [];
  while (!reader.at('}') && !reader.at(',')) {
    const optional = reader.accept('?') !== undefined;
    const key = parseExpression(parser);
    const colon = reader.expect(':');
    const value = parseExpression(parser);
    entries.push({ id: make.nextId(), offset: colon.start, key, value, optional });
    if (!reader.at(',') || reader.peek(1).text === '}') break;
    reader.take();
  }
  closeAggregate(reader, '}');
  return make.map(open.start, entries);
}
