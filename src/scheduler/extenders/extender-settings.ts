/** How the connection to an extender is secured; certificates and keys are PEM. */
export interface ExtenderTls {
  /** Whose certificates are trusted; the system's authorities when absent. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the extender's certificate must have, when it is not the URL's. */
  readonly serverName?: string;
  /** The extender's certificate is taken as it is. */
  readonly insecure: boolean;
}

/** A webhook beside the plug-ins (`Extender` of kubescheduler.config.k8s.io/v1); a verb that is empty is not asked. */
export interface ExtenderSettings {
  readonly urlPrefix: string;
  readonly filterVerb: string;
  readonly preemptVerb: string;
  readonly prioritizeVerb: string;
  readonly bindVerb: string;
  /** By which the scores of `prioritizeVerb` are multiplied. */
  readonly weight: number;
  readonly tls?: ExtenderTls;
  readonly timeoutMs: number;
  /** The extender knows the nodes: it gets and returns names only. */
  readonly nodeCacheCapable: boolean;
  /** Only pods that request one of these are its business; all pods when empty. */
  readonly managedResources: readonly string[];
  /** Scheduling goes on when it does not answer. */
  readonly ignorable: boolean;
}
