/** Something that listens on one address and port. */
export interface Listener {
  /** Ends connections and flows to endpoints that the balancer no longer has, where the protocol asks for it. */
  endpointsChanged(): void;
  /** Stops listening; connections that exist go on. */
  release(): void;
  /** Stops listening and ends all connections. */
  destroy(): void;
}
