#!/bin/bash
# run.sh: the board's laws over the kernel's own GPIO interfaces, on the chips of a Pi 4 and of a
# Pi 5, in a virtual machine. Builds that machine's kernel where it is not there yet (290 MB).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
kernel=${GPIO_VM_KERNEL:-$root/.cache/gpio-vm}
for program in qemu-system-x86_64 busybox cpio kmod xz make gcc; do
  command -v "$program" >/dev/null && continue
  echo "$program is missing. Install it, with what else this needs:"
  echo '  sudo apt-get install busybox-static cpio kmod xz-utils make gcc qemu-system-x86'
  exit 1
done
[ -f "$kernel/initrd.img" ] || bash "$here/gpio-vm/build.sh" "$kernel"
node "$root/.ci/build.mjs"
node "$here/bundle.mjs"
empty=$(mktemp -d)
trap 'rmdir "$empty"' EXIT
for board in ${*:-pi4 pi5}; do
  echo "== $board =="
  bash "$here/gpio-vm/run.sh" -k "$kernel" -b "$here/gpio-vm/boards/$board.sh" \
    -m 1500 -t "${GPIO_VM_SECONDS:-600}" -d "$empty" -- \
    env NO_COLOR=1 node --test-reporter=spec "$root/build/device/tests.mjs"
done
