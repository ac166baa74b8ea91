import type { ContainerRuntime } from '../node/container-runtime.ts';

/** Knows which images the containers of a machine's nodes were made from: nodes share one store. */
export class ImageUsers {
  readonly #runtimes = new Set<Pick<ContainerRuntime, 'listContainers'>>();

  add(runtime: Pick<ContainerRuntime, 'listContainers'>): void {
    this.#runtimes.add(runtime);
  }

  /** Their ids. */
  async inUse(): Promise<ReadonlySet<string>> {
    const lists = await Promise.all([...this.#runtimes].map((runtime) => runtime.listContainers()));
    return new Set(lists.flat().map(({ imageId }) => imageId));
  }
}
