import { goQuote } from '../go-quote.ts';
import { TemplateError } from './template-error.ts';
import type { Branch, Command, Operand, Pipeline, TemplateBody, TemplateNode } from './template-node.ts';
import { printNode } from './template-node.ts';
import { tokenize, type Token, type TokenType } from './tokens.ts';
import { unquoteGo, unquoteGoChar } from './unquote-go.ts';
import { parseGoNumber } from './parse-go-number.ts';

export interface ParseOptions {
  /** Names that templates may call. */
  readonly hasFunction: (name: string) => boolean;
}

/**
 * Parses the text of a template named `name`. The first body is the text itself; the others are what `define` and `block`
 * name. Throws {@link TemplateError}. Follows text/template/parse/parse.go.
 */
export function parseTemplate(name: string, source: string, options: ParseOptions): TemplateBody[] {
  return new Parser(name, source, options).run();
}

type Ending = { readonly word: 'end' } | { readonly word: 'else'; readonly chain?: 'if' | 'with' };

class Parser {
  readonly #name: string;
  readonly #source: string;
  readonly #options: ParseOptions;
  readonly #tokens: Token[];
  readonly #bodies: TemplateBody[] = [];
  #at = 0;
  #variables: string[] = ['$'];
  #rangeDepth = 0;

  constructor(name: string, source: string, options: ParseOptions) {
    this.#name = name;
    this.#source = source;
    this.#options = options;
    this.#tokens = tokenize(source);
  }

  run(): TemplateBody[] {
    const nodes: TemplateNode[] = [];
    while (this.#peek().type !== 'end of file') {
      if (this.#peek().type === 'leftDelim' && this.#startsDefine()) {
        this.#define();
        continue;
      }
      const node = this.#textOrAction();
      if ('ending' in node) this.#fail(`unexpected ${printEnding(node.ending)}`);
      else nodes.push(node);
    }
    return [this.#body(this.#name, nodes), ...this.#bodies];
  }

  #body(name: string, nodes: readonly TemplateNode[]): TemplateBody {
    return { name, parseName: this.#name, source: this.#source, nodes };
  }

  #fail(message: string, pos: number = this.#peek().pos): never {
    const line = this.#source.slice(0, pos).split('\n').length;
    throw new TemplateError(`template: ${this.#name}:${line}: ${message}`);
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { type: 'end of file', text: 'EOF', pos: this.#source.length };
  }

  #next(): Token {
    const token = this.#peek();
    if (token.type === 'error') this.#fail(token.text);
    this.#at++;
    return token;
  }

  #peekNonSpace(): Token {
    while (this.#peek().type === 'space') this.#at++;
    return this.#peek();
  }

  #nextNonSpace(): Token {
    this.#peekNonSpace();
    return this.#next();
  }

  #unexpected(token: Token, context: string): never {
    if (token.type === 'error') this.#fail(token.text, token.pos);
    return this.#fail(`unexpected ${printToken(token)} in ${context}`, token.pos);
  }

  #expect(type: TokenType, context: string): Token {
    const token = this.#nextNonSpace();
    return token.type === type ? token : this.#unexpected(token, context);
  }

  #startsDefine(): boolean {
    let at = this.#at + 1;
    while (this.#tokens[at]?.type === 'space') at++;
    const token = this.#tokens[at];
    return token?.type === 'keyword' && token.text === 'define';
  }

  #define(): void {
    this.#at++;
    this.#nextNonSpace();
    const name = this.#nameOf('define clause');
    this.#expect('rightDelim', 'define clause');
    const outer = { variables: this.#variables, rangeDepth: this.#rangeDepth };
    this.#variables = ['$'];
    this.#rangeDepth = 0;
    const { nodes, ending } = this.#list();
    if (ending.word !== 'end') this.#fail(`unexpected ${printEnding(ending)} in define clause`);
    this.#variables = outer.variables;
    this.#rangeDepth = outer.rangeDepth;
    this.#add(this.#body(name, nodes));
  }

  #add(body: TemplateBody): void {
    const same = this.#bodies.find((other) => other.name === body.name);
    if (same && !isEmpty(same.nodes) && !isEmpty(body.nodes))
      this.#fail(`template: multiple definition of template ${goQuote(body.name)}`);
    if (same && isEmpty(same.nodes)) this.#bodies.splice(this.#bodies.indexOf(same), 1, body);
    if (!same) this.#bodies.push(body);
  }

  #nameOf(context: string): string {
    const token = this.#nextNonSpace();
    if (token.type !== 'string' && token.type !== 'rawString') this.#unexpected(token, context);
    return this.#unquote(token);
  }

  #unquote(token: Token): string {
    const text = unquoteGo(token.text);
    return text ?? this.#fail(`invalid syntax: ${token.text}`, token.pos);
  }

  #list(): { nodes: TemplateNode[]; ending: Ending } {
    const nodes: TemplateNode[] = [];
    while (this.#peekNonSpace().type !== 'end of file') {
      const node = this.#textOrAction();
      if ('ending' in node) return { nodes, ending: node.ending };
      nodes.push(node);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): TemplateNode | { readonly ending: Ending } {
    const token = this.#nextNonSpace();
    if (token.type === 'text') return { type: 'text', text: token.text, pos: token.pos };
    if (token.type !== 'leftDelim') return this.#unexpected(token, 'input');
    const first = this.#peekNonSpace();
    if (first.type === 'keyword') {
      this.#next();
      return this.#keyword(first);
    }
    const pipeline = this.#pipeline('command', 'rightDelim');
    return { type: 'action', pos: first.pos, pipeline };
  }

  #keyword(token: Token): TemplateNode | { readonly ending: Ending } {
    switch (token.text) {
      case 'if':
      case 'range':
      case 'with':
        return this.#branch(token.text);
      case 'else':
        return { ending: this.#else() };
      case 'end':
        this.#expect('rightDelim', 'end');
        return { ending: { word: 'end' } };
      case 'template':
        return this.#template();
      case 'block':
        return this.#block();
      case 'break':
      case 'continue': {
        const after = this.#nextNonSpace();
        if (after.type !== 'rightDelim') this.#unexpected(after, `{{${token.text}}}`);
        if (this.#rangeDepth === 0) this.#fail(`{{${token.text}}} outside {{range}}`, token.pos);
        return { type: token.text, pos: token.pos };
      }
      default:
        return this.#unexpected(token, 'command');
    }
  }

  #else(): Ending {
    const token = this.#peekNonSpace();
    if (token.type === 'keyword' && (token.text === 'if' || token.text === 'with')) {
      this.#next();
      return { word: 'else', chain: token.text };
    }
    this.#expect('rightDelim', 'else');
    return { word: 'else' };
  }

  #branch(type: Branch['type']): Branch {
    const outer = this.#variables.length;
    const pipeline = this.#pipeline(type, 'rightDelim');
    const { pos } = pipeline;
    if (type === 'range') this.#rangeDepth++;
    const { nodes, ending } = this.#list();
    if (type === 'range') this.#rangeDepth--;
    let otherwise: TemplateNode[] | undefined;
    if (ending.word === 'else') {
      if (ending.chain !== undefined) {
        // `{{else if …}}` is `{{else}}{{if …}}` with one end for both.
        if (ending.chain !== type) this.#fail(`unexpected <${ending.chain}> in else`);
        otherwise = [this.#branch(type)];
      } else {
        const rest = this.#list();
        if (rest.ending.word !== 'end') this.#fail(`expected end; found ${printEnding(rest.ending)}`);
        otherwise = rest.nodes;
      }
    }
    this.#variables.length = outer;
    return { type, pos, pipeline, body: nodes, otherwise };
  }

  #template(): TemplateNode {
    const { pos } = this.#peekNonSpace();
    const name = this.#nameOf('template clause');
    if (this.#peekNonSpace().type === 'rightDelim') {
      this.#next();
      return { type: 'template', pos, name, pipeline: undefined };
    }
    return { type: 'template', pos, name, pipeline: this.#pipeline('template clause', 'rightDelim') };
  }

  #block(): TemplateNode {
    const { pos } = this.#peekNonSpace();
    const name = this.#nameOf('block clause');
    const pipeline = this.#pipeline('block clause', 'rightDelim');
    const outer = { variables: this.#variables, rangeDepth: this.#rangeDepth };
    this.#variables = ['$'];
    this.#rangeDepth = 0;
    const { nodes, ending } = this.#list();
    if (ending.word !== 'end') this.#fail(`unexpected ${printEnding(ending)} in block clause`);
    this.#variables = outer.variables;
    this.#rangeDepth = outer.rangeDepth;
    this.#add(this.#body(name, nodes));
    return { type: 'template', pos, name, pipeline };
  }

  #pipeline(context: string, end: 'rightDelim' | 'rightParen'): Pipeline {
    const { pos } = this.#peekNonSpace();
    const { declares, assigns } = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#peekNonSpace();
      if (token.type === end) {
        this.#next();
        this.#checkPipeline(commands, context);
        return { type: 'pipeline', pos, declares, assigns, commands };
      }
      commands.push(this.#command(context));
    }
  }

  #checkPipeline(commands: readonly Command[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    for (const [index, { operands }] of commands.slice(1).entries()) {
      const [first] = operands;
      if (first && ['bool', 'dot', 'nil', 'number', 'string'].includes(first.type))
        this.#fail(`non executable command in pipeline stage ${index + 2}`);
    }
  }

  #declarations(context: string): { declares: string[]; assigns: boolean } {
    const declares: string[] = [];
    const start = this.#at;
    while (this.#peekNonSpace().type === 'variable') {
      const variable = this.#next();
      const after = this.#peekNonSpace();
      if (after.type === 'assign' || after.type === 'declare') {
        this.#next();
        declares.push(variable.text);
        const assigns = after.type === 'assign';
        if (assigns) for (const name of declares) this.#checkVariable(name, variable.pos);
        else this.#variables.push(...declares);
        return { declares, assigns };
      }
      if (context === 'range' && after.type === 'char' && after.text === ',' && declares.length === 0) {
        this.#next();
        declares.push(variable.text);
        const second = this.#peekNonSpace();
        if (second.type !== 'variable') this.#fail('range can only initialize variables');
        continue;
      }
      if (after.type === 'char' && after.text === ',') this.#fail(`too many declarations in ${context}`);
      break;
    }
    this.#at = start;
    return { declares: [], assigns: false };
  }

  #checkVariable(name: string, pos: number): void {
    if (!this.#variables.includes(name)) this.#fail(`undefined variable ${goQuote(name)}`, pos);
  }

  #command(context: string): Command {
    const operands: Operand[] = [];
    const { pos } = this.#peekNonSpace();
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand) operands.push(operand);
      const token = this.#peek();
      if (token.type === 'space') {
        this.#next();
        continue;
      }
      if (token.type === 'pipe') {
        this.#next();
        const after = this.#peekNonSpace();
        if (after.type === 'rightDelim' || after.type === 'rightParen')
          this.#fail(`missing value for ${context}`);
        break;
      }
      if (token.type === 'rightDelim' || token.type === 'rightParen') break;
      this.#unexpected(token, operand ? 'operand' : context);
    }
    if (operands.length === 0) this.#fail('empty command');
    return { pos, operands };
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (!term) return undefined;
    if (this.#peek().type !== 'field') return term;
    const path: string[] = [];
    const { pos } = this.#peek();
    while (this.#peek().type === 'field') path.push(this.#next().text.slice(1));
    if (term.type === 'field') return { ...term, pos, path: [...term.path, ...path] };
    if (term.type === 'variable') return { ...term, pos, path: [...term.path, ...path] };
    if (['bool', 'string', 'number', 'nil', 'dot'].includes(term.type))
      this.#fail(`unexpected . after term ${goQuote(printNode(term))}`);
    return { type: 'chain', pos, of: term, path };
  }

  #term(): Operand | undefined {
    const token = this.#peekNonSpace();
    const { pos, text } = token;
    const take = <T extends Operand>(operand: T): T => {
      this.#next();
      return operand;
    };
    switch (token.type) {
      case 'identifier':
        if (!this.#options.hasFunction(text)) this.#fail(`function ${goQuote(text)} not defined`, pos);
        return take({ type: 'identifier', pos, name: text });
      case 'dot':
        return take({ type: 'dot', pos });
      case 'nil':
        return take({ type: 'nil', pos });
      case 'variable':
        this.#checkVariable(text, pos);
        return take({ type: 'variable', pos, name: text, path: [] });
      case 'field':
        return take({ type: 'field', pos, path: [text.slice(1)] });
      case 'bool':
        return take({ type: 'bool', pos, value: text === 'true' });
      case 'charConstant': {
        const value = unquoteGoChar(text) ?? this.#fail(`malformed character constant: ${text}`, pos);
        return take({ type: 'number', pos, value, text });
      }
      case 'number': {
        const value = parseGoNumber(text) ?? this.#fail(`illegal number syntax: ${goQuote(text)}`, pos);
        return take({ type: 'number', pos, value, text });
      }
      case 'string':
      case 'rawString':
        return take({ type: 'string', pos, value: this.#unquote(token), text });
      case 'leftParen':
        this.#next();
        return this.#pipeline('parenthesized pipeline', 'rightParen');
      case 'error':
        return this.#fail(text, pos);
      default:
        return undefined;
    }
  }
}

function printToken(token: Token): string {
  if (token.type === 'end of file') return 'EOF';
  if (token.type === 'keyword') return `<${token.text}>`;
  return token.text.length > 10 ? `${goQuote(token.text.slice(0, 10))}...` : goQuote(token.text);
}

function printEnding({ word }: Ending): string {
  return `{{${word}}}`;
}

function isEmpty(nodes: readonly TemplateNode[]): boolean {
  return nodes.every((node) => node.type === 'text' && node.text.trim() === '');
}
