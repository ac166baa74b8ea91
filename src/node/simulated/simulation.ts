import type { Clock, Timer } from '../../base/clock.ts';
import type { UsageSource as MeasuredSource } from '../../api/metrics/usage.ts';
import { customresourcedefinitions, type CustomResourceDefinition } from '../../api/apiextensions/v1.gen.ts';
import { nodes, pods, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import { createRestMapper, discover } from '../../client/discovery.ts';
import { jqCompiler } from '../../machinery/jq/jq-query.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import { isConditionTrue } from '../../reconcile/conditions.ts';
import type { EventRecorder } from '../../reconcile/event-recorder.ts';
import type { Informer, InformerFactory } from '../../reconcile/informer.ts';
import type { KubeletBackend } from '../kubelet-server/kubelet-backend.ts';
import { installKwok } from './install-kwok.ts';
import { defaultStages } from './kwok/default-stages.ts';
import { stages, type Stage } from './kwok/stage.ts';
import { createSimulatedKubelet } from './kubelet/simulated-kubelet.ts';
import { NodeLeases } from './node-leases.ts';
import { isDisregarded, SimulatedNodes } from './simulated-nodes.ts';
import { celExpressions } from './stages/cel-expressions.ts';
import { objectApplier, type ApplyObject } from './stages/object-applier.ts';
import { StageCatalog, subjectKey, type StageSubject } from './stages/stage-catalog.ts';
import { stageFunctions } from './stages/stage-functions.ts';
import { StagePlayer } from './stages/stage-player.ts';
import { measuredUsage } from './usage/measured-usage.ts';
import { NodeMetrics } from './usage/node-metrics.ts';
import { SimulatedUsage, type UsageSource } from './usage/simulated-usage.ts';
import { createStageRenderer, type StageRenderer } from './stages/stage-renderer.ts';

export interface SimulationOptions {
  readonly client: Client;
  /** Shared with the rest of the process: the simulation keeps no objects of its own. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly events: EventRecorder;
  /** Decides every jitter and every choice between stages. */
  readonly seed: string;
  /** `v1.36.2+kanoe.0.1.0`. */
  readonly version: string;
  /** Port of the simulated nodes' kubelet; 0 for none. */
  readonly kubeletPort: number;
  /** Where programs are that simulated pods are told to run, as in PATH. */
  readonly searchPath?: string;
  /** The stages that a cluster without any begins with. Default: KWOK's fast ones. */
  readonly firstStages?: readonly Stage[];
  readonly onError: (error: unknown) => void;
}

/** Simulated nodes and pods at work. */
export interface Simulation {
  readonly nodes: SimulatedNodes;
  /** Logs, commands and connections of simulated pods, as KWOK's resources say. */
  readonly kubelet: KubeletBackend;
  /** How much simulated pods use, as KWOK's resources say. */
  readonly usage: UsageSource;
  /** The same as measurements of nodes and pods. */
  measured(): MeasuredSource;
  /** The metrics at a path of the nodes' endpoint. */
  metricsAt(path: string): string | undefined;
  /** Resolves when so many simulated nodes are Ready. */
  nodesReady(count: number, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** An object was not heard because of what it depends on; together with others it is, after a moment. */
const GATHER_MS = 5;
const NODE: StageSubject = { apiVersion: 'v1', kind: 'Node' };
const POD: StageSubject = { apiVersion: 'v1', kind: 'Pod' };

/**
 * Plays KWOK's stages on all nodes that have its annotation, on their pods, and on objects of any other kind that stages
 * name, and keeps the nodes' leases: one process, one timer and shared informers for any number of nodes.
 */
export async function startSimulation(options: SimulationOptions, signal: AbortSignal): Promise<Simulation> {
  const { client, clock, firstStages = defaultStages } = options;
  await installKwok(client, { clock, firstStages, signal });
  const running = new RunningSimulation(options);
  running.start();
  return running;
}

interface PlayedKind {
  readonly player: StagePlayer;
  readonly informer: Informer<KubeObject>;
  /** Whether stages are played on this object. */
  readonly concerns: (object: Live<KubeObject>) => boolean;
}

class RunningSimulation implements Simulation {
  readonly nodes = new SimulatedNodes();
  readonly kubelet: KubeletBackend;
  readonly usage: SimulatedUsage;
  readonly #metrics: NodeMetrics;
  #measured: MeasuredSource | undefined;
  readonly #options: SimulationOptions;
  readonly #catalog: StageCatalog;
  readonly #leases: NodeLeases;
  readonly #renderer: StageRenderer;
  readonly #apply: ApplyObject;
  readonly #kinds = new Map<string, PlayedKind>();
  readonly #handlers: { close(): void }[] = [];
  readonly #nodeCache: Informer<Node>;
  readonly #podCache: Informer<Pod>;
  readonly #awaited = new Set<() => void>();
  readonly #readyNodes = new Set<string>();
  readonly #newNodes = new Set<string>();
  readonly #changedKinds = new Map<string, StageSubject>();
  /** What stages name and the server does not serve. */
  readonly #unserved = new Map<string, StageSubject>();
  #awaitsDefinitions = false;
  #gathering: Timer | undefined;
  #rendering = '';

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { client, clock, informers, onError } = options;
    this.#catalog = new StageCatalog(
      { jq: jqCompiler({ now: () => clock.now() }), cel: () => celExpressions(['self']) },
      onError,
    );
    this.#leases = new NodeLeases({ client, clock, onError });
    this.#nodeCache = informers.for(nodes);
    this.#podCache = informers.for(pods);
    this.#renderer = this.#createRenderer();
    this.#apply = objectApplier(client);
    const caches = { informers, nodes: this.#nodeCache, pods: this.#podCache };
    this.kubelet = createSimulatedKubelet({ ...caches, clock, searchPath: options.searchPath ?? '' });
    this.usage = new SimulatedUsage({ ...caches, clock, seed: options.seed, onError });
    this.#metrics = new NodeMetrics(informers, { ...caches, usage: this.usage });
  }

  metricsAt(path: string): string | undefined {
    return this.#metrics.at(path);
  }

  measured(): MeasuredSource {
    this.#measured ??= measuredUsage({
      nodes: () => this.#nodeCache.list().filter(({ metadata }) => this.nodes.has(metadata.name)),
      podsOn: (node) => this.#podCache.byIndex('node', node),
      usage: this.usage,
      clock: this.#options.clock,
    });
    return this.#measured;
  }

  start(): void {
    const { informers } = this.#options;
    this.#podCache.addIndex('node', (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
    this.#play(NODE, nodes, (object) => this.nodes.has(object.metadata.name));
    this.#play(POD, pods, (object) => this.nodes.has((object as Live<Pod>).spec.nodeName));
    this.#handlers.push(
      informers.for(stages).addHandler({
        onAdd: (stage) => this.#stagesChanged(this.#catalog.set(stage)),
        onUpdate: (stage) => this.#stagesChanged(this.#catalog.set(stage)),
        onDelete: (stage) => this.#stagesChanged(this.#catalog.delete(stage.metadata.name)),
      }),
      this.#nodeCache.addHandler({
        onAdd: (node) => this.#hearNode(node, undefined),
        onUpdate: (node, previous) => this.#hearNode(node, previous),
        onDelete: (node) => this.#forgetNode(node),
      }),
      this.#podCache.addHandler({
        onAdd: (pod) => this.#hearPod(pod),
        onUpdate: (pod) => this.#hearPod(pod),
        onDelete: (pod) => this.#forgetPod(pod),
      }),
    );
    informers.start();
  }

  nodesReady(count: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#readyNodes.size < count) return;
        this.#awaited.delete(look);
        resolve();
      };
      this.#awaited.add(look);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      look();
    });
  }

  async stop(): Promise<void> {
    this.#gathering?.cancel();
    for (const handler of this.#handlers) handler.close();
    await Promise.all([this.#leases.stop(), ...[...this.#kinds.values()].map(({ player }) => player.stop())]);
  }

  #createRenderer(): StageRenderer {
    const { clock, version, kubeletPort } = this.#options;
    const renderer = createStageRenderer(
      stageFunctions({
        clock,
        version,
        nodePort: () => kubeletPort,
        nodeName: () => this.#rendering,
        nodeIP: (name = this.#rendering) => this.nodes.nodeIP(name),
        podIP: (name = this.#rendering) => this.nodes.podIP(name),
      }),
    );
    return {
      toJson: (template, object) => {
        this.#rendering = nodeOf(object);
        return renderer.toJson(template, object);
      },
    };
  }

  #play(
    subject: StageSubject,
    type: ResourceType<KubeObject>,
    concerns: (object: Live<KubeObject>) => boolean,
  ): void {
    const { client, clock, events, seed, informers, onError } = this.#options;
    const informer = informers.for(type);
    const isPlayed = (object: Live<KubeObject>): boolean =>
      !isDisregarded(object.metadata.annotations) && concerns(object);
    const player = new StagePlayer({
      type,
      client,
      clock,
      events,
      seed,
      renderer: this.#renderer,
      apply: this.#apply,
      stages: () => this.#catalog.of(subject),
      current: (namespace, name) => {
        const object = informer.get(namespace, name);
        return object && isPlayed(object) ? object : undefined;
      },
      onError,
    });
    this.#kinds.set(subjectKey(subject), { player, informer, concerns: isPlayed });
  }

  #hear(subject: StageSubject, object: Live<KubeObject>): void {
    const kind = this.#kinds.get(subjectKey(subject));
    if (kind?.concerns(object)) kind.player.hear(object);
  }

  #hearNode(node: Live<Node>, previous: Live<Node> | undefined): void {
    const found = this.nodes.hear(node);
    if (found === 'foreign') {
      if (previous) this.#forgetNode(node);
      return;
    }
    if (found === 'new') {
      this.#newNodes.add(node.metadata.name);
      this.#gather();
    }
    this.#noteReadiness(node);
    this.#leases.keep(node);
    this.#hear(NODE, node);
  }

  #noteReadiness({ metadata, status }: Live<Node>): void {
    if (!isConditionTrue(status?.conditions, 'Ready')) {
      this.#readyNodes.delete(metadata.name);
      return;
    }
    this.#readyNodes.add(metadata.name);
    for (const look of this.#awaited) look();
  }

  #forgetNode(node: Live<Node>): void {
    const { name } = node.metadata;
    this.#readyNodes.delete(name);
    this.nodes.forget(name);
    this.#leases.drop(name);
    this.#kinds.get(subjectKey(NODE))?.player.forget(node);
  }

  #hearPod(pod: Live<Pod>): void {
    if (!this.nodes.has(pod.spec.nodeName)) return;
    this.nodes.holdAddress(pod);
    this.#hear(POD, pod);
  }

  #forgetPod(pod: Live<Pod>): void {
    if (!this.nodes.has(pod.spec.nodeName)) return;
    this.nodes.releaseAddress(pod);
    this.#kinds.get(subjectKey(POD))?.player.forget(pod);
  }

  #stagesChanged(subjects: readonly StageSubject[]): void {
    for (const subject of subjects) this.#changedKinds.set(subjectKey(subject), subject);
    this.#gather();
  }

  #gather(): void {
    this.#gathering ??= this.#options.clock.after(GATHER_MS, () => {
      this.#gathering = undefined;
      for (const name of this.#newNodes)
        for (const pod of this.#podCache.byIndex('node', name)) this.#hearPod(pod);
      this.#newNodes.clear();
      const subjects = [...this.#changedKinds.values()];
      this.#changedKinds.clear();
      for (const subject of subjects) {
        const kind = this.#kinds.get(subjectKey(subject));
        if (kind) for (const object of kind.informer.list()) this.#hear(subject, object);
        else this.#follow(subject).catch(this.#options.onError);
      }
    });
  }

  /** Stages may come before the definition of what they are about. */
  #awaitDefinition(subject: StageSubject): void {
    if (!this.#awaitsDefinitions) {
      this.#awaitsDefinitions = true;
      const look = (definition: CustomResourceDefinition): void => {
        for (const waiting of this.#unserved.values())
          if (defines(definition, waiting)) this.#stagesChanged([waiting]);
      };
      const { informers } = this.#options;
      this.#handlers.push(
        informers.for(customresourcedefinitions).addHandler({ onAdd: look, onUpdate: look }),
      );
      informers.start();
    }
    this.#unserved.set(subjectKey(subject), subject);
  }

  /** Begins to play stages on a kind that is neither pods nor nodes: on all of its objects. */
  async #follow(subject: StageSubject): Promise<void> {
    const { client, informers } = this.#options;
    const served = createRestMapper(await discover(client.transport)).byKind(
      subject.apiVersion,
      subject.kind,
    );
    if (!served) {
      this.#awaitDefinition(subject);
      throw new Error(`stages name ${subjectKey(subject)}, which the server does not serve yet`);
    }
    this.#unserved.delete(subjectKey(subject));
    if (this.#kinds.has(subjectKey(subject))) return;
    this.#play(subject, served.type, () => true);
    const { player } = this.#kinds.get(subjectKey(subject)) ?? {};
    this.#handlers.push(
      informers.for(served.type).addHandler({
        onAdd: (object) => this.#hear(subject, object),
        onUpdate: (object) => this.#hear(subject, object),
        onDelete: (object) => player?.forget(object),
      }),
    );
    informers.start();
  }
}

/** Whether a definition is of this kind, and served. */
function defines({ spec, status }: CustomResourceDefinition, { apiVersion, kind }: StageSubject): boolean {
  const isServed = spec.versions.some(
    ({ name, served }) => served && `${spec.group}/${name}` === apiVersion && spec.names.kind === kind,
  );
  return isServed && isConditionTrue(status?.conditions, 'Established');
}

/** The node that an object is, or is on. */
function nodeOf(object: unknown): string {
  const { kind, metadata, spec } = object as {
    readonly kind?: string;
    readonly metadata?: { readonly name?: string };
    readonly spec?: { readonly nodeName?: string };
  };
  return (kind === 'Node' ? metadata?.name : spec?.nodeName) ?? '';
}
