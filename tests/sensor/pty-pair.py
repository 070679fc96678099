"""Two pseudo terminals whose bytes go from one to the other: a serial line without a cable. Prints both names; ends with its input."""
import os
import pty
import select
import sys
import tty

ends = [pty.openpty(), pty.openpty()]
for master, slave in ends:
    tty.setraw(slave)
    os.set_blocking(master, False)
print(*(os.ttyname(slave) for _, slave in ends), sep="\n", flush=True)
other = {ends[0][0]: ends[1][0], ends[1][0]: ends[0][0]}
while True:
    ready, _, _ = select.select([*other, sys.stdin], [], [])
    if sys.stdin in ready:
        break
    for master in ready:
        os.write(other[master], os.read(master, 4096))
