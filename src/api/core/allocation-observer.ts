/** How much of a range is given out. */
export interface RangeUse {
  readonly used: number;
  readonly size: number;
}

/** What can be read of the allocator of services at any time. */
export interface AllocationReader {
  addresses(): readonly (RangeUse & { readonly cidr: string })[];
  ports(): RangeUse;
}

/** Whether somebody asked for a certain address or port, or for any. */
export type AllocationScope = 'static' | 'dynamic';

/** Hears of addresses and node ports that services are given. Must not throw. */
export interface AllocationObserver {
  /** On a clock of its own, in milliseconds. */
  now(): number;
  /** Called once, before anything is given out. */
  follow(reader: AllocationReader): void;
  address(cidr: string, scope: AllocationScope, since: number): void;
  addressRefused(cidr: string, scope: AllocationScope): void;
  port(scope: AllocationScope): void;
  portRefused(scope: AllocationScope): void;
}
