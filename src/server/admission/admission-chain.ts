import type { UserInfo } from '../../api/resource.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import type { Structure } from '../../machinery/structure/structure.ts';
import type { GroupVersionKind } from '../../machinery/schema/schema.ts';

/** One version in which the resource of a request is served, and how objects look in it. */
export interface AdmissionVersion {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: GroupVersionKind;
  /** The kind's key in the schema table; empty for custom resources. */
  readonly schema: string;
  /** How objects of the kind merge. */
  structure(): Structure;
  /** The canonical JSON document of an object of the request: a value of the caller's own. */
  document(
    object: KubeObject,
  ): Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
  /**
   * Reads a document back as a request body: decoded by its schema, defaulted, in the form that requests carry.
   * Throws `DecodeError` or `StatusError`.
   */
  object(document: unknown): DeepMutable<KubeObject> | Promise<DeepMutable<KubeObject>>;
}

/** One write (or connection) that admission is asked about. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly user: UserInfo;
  /** Group, version, resource and subresource as the client named them. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** The kind of `object` in the version asked for: for a subresource its own (`Eviction`, `Scale`, `PodExecOptions`). */
  readonly kind: GroupVersionKind;
  /** Every version that the resource is served in; the one asked for is the first. */
  readonly versions: readonly [AdmissionVersion, ...AdmissionVersion[]];
  /** Empty for cluster-scoped resources. */
  readonly namespace: string;
  /** Empty while it is to be generated, and for the members of a deleted collection. */
  readonly name: string;
  readonly dryRun: boolean;
  /** `CreateOptions`, `UpdateOptions` or `DeleteOptions`; absent for connections. */
  readonly options?: Readonly<Record<string, unknown>>;
  /**
   * The object as it would be written, in the stored version; plug-ins that admit may change it. For connections the options
   * of the connection. Absent for deletions.
   */
  readonly object?: DeepMutable<KubeObject>;
  /** The object as it is, in the stored version. Absent for creations. */
  readonly oldObject?: KubeObject;
  warn(message: string): void;
  /** Adds an annotation to the request's audit event; of a key the first value counts. */
  annotate(key: string, value: string): void;
}

/** One run of a request through the plug-ins that change objects. A second one follows where a plug-in asks for it. */
export interface AdmissionPass {
  readonly round: 0 | 1;
  /** What a plug-in noted in the first round, made when it is asked for first. */
  memory<T>(owner: AdmissionPlugin, make: () => T): T;
  /** Has all plug-ins run once more after this round; of no effect in the second. */
  reinvoke(): void;
}

/** One rule about writes. Both methods throw `StatusError` to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Changes the object; runs before validation, once or twice per attempt. */
  admit?(request: AdmissionRequest, pass: AdmissionPass): void | Promise<void>;
  /** Looks at the final object. */
  validate?(request: AdmissionRequest): void | Promise<void>;
}

/** The plug-ins in the order in which they run: all that change objects, then all that only look. */
export interface AdmissionChain {
  admit(request: AdmissionRequest): Promise<void>;
  validate(request: AdmissionRequest): Promise<void>;
}

/** One plug-in, or a whole step of them, that is done with a request. */
export interface AdmissionTiming {
  readonly step: 'admit' | 'validate';
  readonly operation: AdmissionRequest['operation'];
  readonly rejected: boolean;
  /** On the observer's own clock, milliseconds. */
  readonly startedAt: number;
}

/** Hears how long admission takes. */
export interface AdmissionObserver {
  now(): number;
  plugin(timing: AdmissionTiming & { readonly name: string }): void;
  step(timing: AdmissionTiming): void;
}

type Step = 'admit' | 'validate';

/** Runs plug-ins; those that change objects a second time where one of them asks for it. */
export function createAdmissionChain(
  plugins: readonly AdmissionPlugin[],
  observer?: AdmissionObserver,
): AdmissionChain {
  const run = async (step: Step, request: AdmissionRequest, pass: AdmissionPass): Promise<void> => {
    if (!observer) {
      for (const plugin of plugins) {
        const done = plugin[step]?.(request, pass);
        if (done) await done;
      }
      return;
    }
    const { operation } = request;
    const begun = observer.now();
    let startedAt = begun;
    let name = '';
    let rejected = true;
    try {
      for (const plugin of plugins) {
        if (!plugin[step]) continue;
        ({ name } = plugin);
        const done = plugin[step](request, pass);
        if (done) await done;
        observer.plugin({ name, step, operation, rejected: false, startedAt });
        startedAt = observer.now();
      }
      rejected = false;
    } finally {
      if (rejected) observer.plugin({ name, step, operation, rejected, startedAt });
      observer.step({ step, operation, rejected, startedAt: begun });
    }
  };
  return {
    async admit(request) {
      const passes = newPasses();
      await run('admit', request, passes.first);
      if (passes.again()) await run('admit', request, passes.second);
    },
    validate: (request) => run('validate', request, newPasses().first),
  };
}

interface Passes {
  readonly first: AdmissionPass;
  readonly second: AdmissionPass;
  again(): boolean;
}

function newPasses(): Passes {
  const notes = new Map<AdmissionPlugin, unknown>();
  let asked = false;
  const pass = (round: 0 | 1): AdmissionPass => ({
    round,
    memory<T>(owner: AdmissionPlugin, make: () => T): T {
      if (!notes.has(owner)) notes.set(owner, make());
      return notes.get(owner) as T;
    },
    reinvoke() {
      asked = true;
    },
  });
  return { first: pass(0), second: pass(1), again: () => asked };
}
