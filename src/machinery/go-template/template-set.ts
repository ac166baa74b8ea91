import { builtinFunctions } from './builtin-functions.ts';
import { executeTemplate } from './execute-template.ts';
import { parseTemplate } from './parse-template.ts';
import { TemplateError } from './template-error.ts';
import type { FunctionMap } from './template-function.ts';
import type { TemplateBody } from './template-node.ts';

export interface TemplateSetOptions {
  /** Beside the functions that every template has; they win. */
  readonly functions?: FunctionMap;
  readonly missingKey?: 'default' | 'zero' | 'error';
}

/** Templates that know each other by name: Go's `text/template` with its associated templates. */
export class TemplateSet {
  readonly #bodies = new Map<string, TemplateBody>();
  readonly #functions: FunctionMap;
  readonly #missingKey: 'default' | 'zero' | 'error';

  constructor(options: TemplateSetOptions = {}) {
    this.#functions = { ...builtinFunctions, ...options.functions };
    this.#missingKey = options.missingKey ?? 'default';
  }

  /** Adds the text as a template and all that it defines; a later definition replaces an earlier one unless it is empty. */
  parse(name: string, text: string): this {
    const bodies = parseTemplate(name, text, { hasFunction: (one) => Object.hasOwn(this.#functions, one) });
    for (const body of bodies) {
      const empty = body.nodes.every((node) => node.type === 'text' && node.text.trim() === '');
      if (!empty || !this.#bodies.has(body.name)) this.#bodies.set(body.name, body);
    }
    return this;
  }

  has(name: string): boolean {
    return this.#bodies.has(name);
  }

  /** Throws {@link TemplateError}. */
  execute(name: string, data: unknown): string {
    const body = this.#bodies.get(name);
    if (!body)
      throw new TemplateError(`template: no template ${JSON.stringify(name)} associated with template`);
    return executeTemplate(body, data, {
      functions: this.#functions,
      missingKey: this.#missingKey,
      lookup: (one) => this.#bodies.get(one),
    });
  }
}
