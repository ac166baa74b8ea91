/**
 * The wrapper of one container, for `/bin/sh`: it mounts the root file system inside a mount namespace of its own (so that the
 * mount goes away with the container), runs the container in the foreground, and writes `CODE OOM_KILLS` to the exit file. It
 * outlives the agent; output goes to FIFOs that it holds open for reading and writing, so that no writer ever gets SIGPIPE.
 * USR1 closes the container's standard input. Since it also interrupts `wait`, whose answer is then lost in some shells, such a
 * container's exit code goes through a file.
 * Arguments: container id, then the command that runs it; the rest is environment.
 */
export const shimScript = `#!/bin/sh
id=$1; shift
echo $$ > "$KANOE_RUN/shims/$id"
dir=$KANOE_STATE/containers/$id
fail() { echo "128 0" > "$KANOE_RUN/exits/$id"; exit 0; }
[ -z "$KANOE_HIDE" ] || umount "$KANOE_HIDE" 2> "$dir/runtime.log" || fail
cd "$KANOE_STATE" || fail
if [ -e "$dir/map.sh" ]; then . "$dir/map.sh" 2> "$dir/runtime.log" || fail
else mount -t overlay -o "$KANOE_OVERLAY" overlay "containers/$id/rootfs" 2> "$dir/runtime.log" || fail; fi
: > "$dir/runtime.log"
exec 8<>"$dir/out" 9<>"$dir/err"
join() {
  for file in $KANOE_JOIN; do echo 0 > "$file"; done
  [ -z "$KANOE_OOM_SCORE" ] || echo "$KANOE_OOM_SCORE" > /proc/self/oom_score_adj
}
if [ -n "$KANOE_STDIN" ]; then
  exec 7<>"$dir/in"
  trap 'exec 7>&-' USR1
  : > "$dir/code"
  (
    exec 7>&-
    ( join; exec "$@" ) < "$dir/in" >&8 2>&9 8>&- 9>&-
    echo $? > "$dir/code"
  ) &
  until [ -s "$dir/code" ] || ! kill -0 $! 2> /dev/null; do wait $!; done
  read -r code < "$dir/code" || code=137
else
  ( join; exec "$@" ) < /dev/null >&8 2>&9 8>&- 9>&- &
  wait $!; code=$?
fi
oom=0
if [ -r "$KANOE_OOM" ]; then
  while read -r key value; do [ "$key" != oom_kill ] || oom=$value; done < "$KANOE_OOM"
fi
read -r agent < "$KANOE_RUN/agent"
if [ ! -d "/proc/$agent" ]; then
  dd iflag=nonblock bs=65536 count=1 <&8 > "$dir/out.rest" 2> /dev/null
  dd iflag=nonblock bs=65536 count=1 <&9 > "$dir/err.rest" 2> /dev/null
fi
exec 8>&- 9>&-
echo "$code $oom" > "$KANOE_RUN/exits/$id"
[ -z "$KANOE_DELETE" ] || "$KANOE_DELETE" --root "$KANOE_RUN/oci" delete --force "$id" > /dev/null 2>&1
`;

/** Joins the cgroups whose files come first (their number before them), then becomes the command that follows. */
export const joinScript =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo 0 > "$1"; shift; n=$((n-1)); done; exec "$@"';
