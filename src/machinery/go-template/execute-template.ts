import { goQuote } from '../go-quote.ts';
import { formatValue } from './format-verbs.ts';
import { isFunctionValue } from './function-value.ts';
import { TemplateError } from './template-error.ts';
import {
  argumentProblem,
  callFunction,
  type FunctionMap,
  type TemplateFunction,
} from './template-function.ts';
import { printNode } from './template-node.ts';
import type { Branch, Command, Operand, Pipeline, TemplateBody, TemplateNode } from './template-node.ts';
import {
  goTypeOf,
  isNone,
  isTemplateMap,
  isTrue,
  memberOf,
  sortedKeys,
  TemplateObject,
} from './template-value.ts';

export interface ExecuteOptions {
  readonly functions: FunctionMap;
  /** The body that a name stands for. */
  readonly lookup: (name: string) => TemplateBody | undefined;
  /** What a key that a map does not have means. Default: no value, as Go's. */
  readonly missingKey?: 'default' | 'zero' | 'error';
}

/** How deeply templates may call each other; Go allows 100,000, which is beyond this stack. */
const MAX_DEPTH = 1000;

/** Executes a body over `data`. Throws {@link TemplateError}. Follows text/template/exec.go. */
export function executeTemplate(body: TemplateBody, data: unknown, options: ExecuteOptions): string {
  const execution = new Execution(body, data, { ...options, depth: 0 });
  execution.walk(body.nodes, data);
  return execution.output;
}

interface Variable {
  readonly name: string;
  value: unknown;
}

type Signal = 'break' | 'continue' | undefined;
type Position = Operand | Command | TemplateNode;

/** The value that a pipeline hands to its next command, if there is one before it. */
const nothing = Symbol('no argument');

class Execution {
  output = '';
  readonly #body: TemplateBody;
  readonly #options: ExecuteOptions & { readonly depth: number };
  readonly #variables: Variable[];
  #node: Position | undefined;

  constructor(body: TemplateBody, data: unknown, options: ExecuteOptions & { readonly depth: number }) {
    this.#body = body;
    this.#options = options;
    this.#variables = [{ name: '$', value: data }];
  }

  walk(nodes: readonly TemplateNode[], dot: unknown): Signal {
    for (const node of nodes) {
      const signal = this.#step(node, dot);
      if (signal) return signal;
    }
    return undefined;
  }

  #step(node: TemplateNode, dot: unknown): Signal {
    this.#node = node;
    switch (node.type) {
      case 'text':
        this.output += node.text;
        return undefined;
      case 'action': {
        const value = this.#pipeline(dot, node.pipeline);
        if (node.pipeline.declares.length === 0) this.output += formatValue(value);
        return undefined;
      }
      case 'if':
      case 'with':
        return this.#ifOrWith(node, dot);
      case 'range':
        return this.#range(node, dot);
      case 'template':
        this.#template(node, dot);
        return undefined;
      default:
        return node.type;
    }
  }

  #fail(message: string, cause?: unknown): never {
    const { name, parseName, source } = this.#body;
    const node = this.#node;
    const options = cause === undefined ? undefined : { cause };
    if (!node) throw new TemplateError(`template: ${name}: ${message}`, options);
    const before = source.slice(0, node.pos);
    const line = before.split('\n').length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
    throw new TemplateError(
      `template: ${parseName}:${line}:${column}: executing ${goQuote(name)} at <${printNode(node)}>: ${message}`,
      options,
    );
  }

  #ifOrWith(node: Branch, dot: unknown): Signal {
    const kept = this.#variables.length;
    const value = this.#pipeline(dot, node.pipeline);
    let signal: Signal;
    if (isTrue(value)) signal = this.walk(node.body, node.type === 'with' ? value : dot);
    else if (node.otherwise) signal = this.walk(node.otherwise, dot);
    this.#variables.length = kept;
    return signal;
  }

  #range(node: Branch, dot: unknown): Signal {
    const kept = this.#variables.length;
    const value = this.#pipeline(dot, node.pipeline);
    const inside = this.#variables.length;
    this.#node = node;
    let turns = 0;
    for (const [key, element] of this.#elements(value, node)) {
      turns++;
      this.#bindElement(node.pipeline, { key, element }, inside);
      const signal = this.walk(node.body, element);
      this.#variables.length = inside;
      if (signal === 'break') break;
    }
    let signal: Signal;
    if (turns === 0 && node.otherwise) signal = this.walk(node.otherwise, dot);
    this.#variables.length = kept;
    return signal;
  }

  #bindElement(
    { declares, assigns }: Pipeline,
    { key, element }: { readonly key: unknown; readonly element: unknown },
    inside: number,
  ): void {
    const values = declares.length > 1 ? [key, element] : [element];
    for (const [index, name] of declares.entries()) {
      if (assigns) {
        this.#assign(name, values[index]);
        continue;
      }
      const variable = this.#variables[inside - declares.length + index];
      if (variable) this.#variables[inside - declares.length + index] = { name, value: values[index] };
    }
  }

  *#elements(value: unknown, node: Branch): Generator<readonly [unknown, unknown]> {
    if (isNone(value)) return;
    if (typeof value === 'bigint') {
      for (let at = 0n; at < value; at++) yield [at, at];
    } else if (Array.isArray(value) || value instanceof Uint8Array) {
      for (let at = 0; at < value.length; at++) yield [BigInt(at), value[at] as unknown];
    } else if (isTemplateMap(value)) {
      for (const key of sortedKeys(value)) yield [key, value[key]];
    } else {
      this.#node = node.pipeline;
      this.#fail(`range can't iterate over ${formatValue(value)}`);
    }
  }

  #template(node: TemplateNode & { type: 'template' }, dot: unknown): void {
    const body = this.#options.lookup(node.name);
    if (!body) this.#fail(`template ${goQuote(node.name)} not defined`);
    if (this.#options.depth === MAX_DEPTH) this.#fail(`exceeded maximum template depth (${MAX_DEPTH})`);
    const data = node.pipeline ? this.#pipeline(dot, node.pipeline) : undefined;
    const inner = new Execution(body, data, { ...this.#options, depth: this.#options.depth + 1 });
    inner.walk(body.nodes, data);
    this.output += inner.output;
  }

  #pipeline(dot: unknown, pipeline: Pipeline): unknown {
    this.#node = pipeline;
    let value: unknown = nothing;
    for (const command of pipeline.commands) value = this.#command(dot, command, value);
    for (const name of pipeline.declares) {
      if (pipeline.assigns) this.#assign(name, value);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #assign(name: string, value: unknown): void {
    const variable = this.#variables.findLast((one) => one.name === name);
    if (!variable) this.#fail(`undefined variable: ${name}`);
    variable.value = value;
  }

  #command(dot: unknown, command: Command, final: unknown): unknown {
    const [first, ...rest] = command.operands;
    if (!first) return undefined;
    const call: CallOptions = { dot, args: rest, final, name: '', node: command };
    switch (first.type) {
      case 'field':
        return this.#path(dot, first.path, { ...call, node: first });
      case 'chain':
        return this.#chain(dot, first, call);
      case 'identifier':
        return this.#function(first, call);
      case 'variable':
        return this.#variable(first, call);
      case 'pipeline':
        this.#notAFunction(first, rest, final);
        return this.#pipeline(dot, first);
      default:
        this.#node = first;
        this.#notAFunction(first, rest, final);
        if (first.type === 'nil') this.#fail('nil is not a command');
        return this.#constant(dot, first);
    }
  }

  #notAFunction(first: Operand, rest: readonly Operand[], final: unknown): void {
    if (rest.length === 0 && final === nothing) return;
    this.#node = first;
    this.#fail(`can't give argument to non-function ${printNode(first)}`);
  }

  #constant(dot: unknown, operand: Operand): unknown {
    switch (operand.type) {
      case 'dot':
        return dot;
      case 'bool':
      case 'number':
      case 'string':
        return operand.value;
      default:
        return undefined;
    }
  }

  #variable(node: Operand & { type: 'variable' }, call: CallOptions): unknown {
    this.#node = node;
    const found = this.#variables.findLast((one) => one.name === node.name);
    if (!found) this.#fail(`undefined variable: ${node.name}`);
    if (node.path.length > 0) return this.#path(found.value, node.path, { ...call, node });
    this.#notAFunction(node, call.args, call.final);
    return found.value;
  }

  #chain(dot: unknown, node: Operand & { type: 'chain' }, call: CallOptions): unknown {
    this.#node = node;
    if (node.of.type === 'nil') this.#fail(`indirection through explicit nil in ${printNode(node)}`);
    return this.#path(this.#operand(dot, node.of), node.path, { ...call, node });
  }

  /** Only the last member of a path may be called with arguments. */
  #path(receiver: unknown, path: readonly string[], call: CallOptions): unknown {
    let value = receiver;
    for (const [index, name] of path.entries()) {
      const isLast = index === path.length - 1;
      value = this.#member(value, name, isLast ? call : { ...call, args: [], final: nothing });
    }
    return value;
  }

  #member(receiver: unknown, name: string, call: CallOptions): unknown {
    this.#node = call.node;
    const hasArguments = call.args.length > 0 || call.final !== nothing;
    if (isNone(receiver)) this.#fail(`nil pointer evaluating interface {}.${name}`);
    if (receiver instanceof TemplateObject) {
      const member = receiver.members.get(name);
      if (isFunctionValue(member)) return this.#call(member, { ...call, name });
      if (receiver.members.has(name)) {
        if (hasArguments) this.#fail(`${name} has arguments but cannot be invoked as function`);
        return member;
      }
    } else if (isTemplateMap(receiver)) {
      const value = memberOf(receiver, name);
      if (hasArguments) this.#fail(`${name} is not a method but has arguments`);
      if (value === undefined && this.#options.missingKey === 'error')
        this.#fail(`map has no entry for key ${goQuote(name)}`);
      return value;
    }
    return this.#fail(`can't evaluate field ${name} in type ${goTypeOf(receiver)}`);
  }

  #function(node: Operand & { type: 'identifier' }, call: CallOptions): unknown {
    this.#node = node;
    if (node.name === 'and' || node.name === 'or') return this.#shortCircuit(node.name, call);
    const found = this.#options.functions[node.name];
    if (!found) this.#fail(`${goQuote(node.name)} is not a defined function`);
    return this.#call(found, { ...call, name: node.name });
  }

  /** `and` and `or` do not look at the arguments after the one that decides. */
  #shortCircuit(name: 'and' | 'or', { dot, args, final }: CallOptions): unknown {
    if (args.length === 0 && final === nothing)
      this.#fail(`wrong number of args for ${name}: want at least 1 got 0`);
    let value: unknown;
    for (const operand of args) {
      value = this.#operand(dot, operand);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return final === nothing ? value : final;
  }

  #call(target: TemplateFunction, { dot, args, final, name, node }: CallOptions): unknown {
    const values = args.map((operand) => this.#operand(dot, operand));
    if (final !== nothing) values.push(final);
    this.#node = node;
    const problem = argumentProblem(name, target, values);
    if (problem !== undefined) this.#fail(problem);
    try {
      return callFunction(target, values);
    } catch (error) {
      return this.#fail(
        `error calling ${name}: ${error instanceof Error ? error.message : String(error)}`,
        error,
      );
    }
  }

  #operand(dot: unknown, operand: Operand): unknown {
    this.#node = operand;
    const call: CallOptions = { dot, args: [], final: nothing, name: '', node: operand };
    switch (operand.type) {
      case 'field':
        return this.#path(dot, operand.path, call);
      case 'chain':
        return this.#chain(dot, operand, call);
      case 'variable':
        return this.#variable(operand, call);
      case 'identifier':
        return this.#function(operand, call);
      case 'pipeline':
        return this.#pipeline(dot, operand);
      default:
        return this.#constant(dot, operand);
    }
  }
}

interface CallOptions {
  readonly dot: unknown;
  readonly args: readonly Operand[];
  readonly final: unknown;
  readonly name: string;
  /** What an error points at. */
  readonly node: Position;
}
