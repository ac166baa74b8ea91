import type { Live } from '../../../machinery/object.ts';
import type { Stage } from '../kwok/stage.ts';
import { compileStage, type CompiledStage } from './compiled-stage.ts';
import type { StageLanguages } from './value-source.ts';

/** What stages are about: an apiVersion and a kind. */
export interface StageSubject {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The stages there are, compiled, by what they are about. */
export class StageCatalog {
  readonly #languages: StageLanguages;
  readonly #onError: (error: unknown) => void;
  readonly #stages = new Map<
    string,
    { readonly subject: StageSubject; readonly stage: CompiledStage | undefined }
  >();
  readonly #byKind = new Map<string, readonly CompiledStage[]>();

  constructor(languages: StageLanguages, onError: (error: unknown) => void) {
    this.#languages = languages;
    this.#onError = onError;
  }

  /** Adds or replaces a stage; returns what subjects are concerned. A stage that is wrong counts as none. */
  set(stage: Live<Stage>): readonly StageSubject[] {
    const before = this.delete(stage.metadata.name);
    const { apiGroup = 'v1', kind } = stage.spec.resourceRef;
    const subject = { apiVersion: apiGroup, kind };
    this.#stages.set(stage.metadata.name, { subject, stage: this.#compile(stage) });
    this.#byKind.delete(subjectKey(subject));
    return [...before.filter((one) => subjectKey(one) !== subjectKey(subject)), subject];
  }

  delete(name: string): readonly StageSubject[] {
    const held = this.#stages.get(name);
    if (!held) return [];
    this.#stages.delete(name);
    this.#byKind.delete(subjectKey(held.subject));
    return [held.subject];
  }

  /** In the order of their names, so that chance does not depend on the order of their coming. */
  of(subject: StageSubject): readonly CompiledStage[] {
    const key = subjectKey(subject);
    let found = this.#byKind.get(key);
    if (!found) {
      found = [...this.#stages.values()]
        .flatMap((one) => (one.stage && subjectKey(one.subject) === key ? [one.stage] : []))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      this.#byKind.set(key, found);
    }
    return found;
  }

  #compile(stage: Live<Stage>): CompiledStage | undefined {
    try {
      return compileStage(stage, this.#languages);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#onError(new Error(`stage ${stage.metadata.name}: ${text}`, { cause: error }));
      return undefined;
    }
  }
}

/** `v1/Pod`. */
export function subjectKey({ apiVersion, kind }: StageSubject): string {
  return `${apiVersion}/${kind}`;
}
