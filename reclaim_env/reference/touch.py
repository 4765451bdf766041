"""When memory that was swapped out is touched: a process whose rate changes with what is in swap.

Every page of a heat is touched at its rate while the heat is in use. What is resident only has its young bits
set; of the touches that miss, the expected number is added up and one comes true each time it has grown by
an exponential draw.
"""

import math

from .chance import uniform
from .compiled import compiled
from .names import TOUCH
from .queue import schedule

DEMAND_S = 0.001  # how often a process compares what it has with what it wants


@compiled
def is_in_use(m, row):
    """A heat: not so while all threads wait for pages of swap, or the process dies."""
    one = m.instance[row.instance]
    return row.on == 1 and one.nr_waiting < one.nr_threads and not one.dying


@compiled
def catch_up(m, c):
    """Brings a heat's clocks to now; before anything changes that they depend on."""
    row = m.class_[c]
    now_s = m.system[0].time_s
    if is_in_use(m, row):
        row.use_s += now_s - row.caught_up_s
        row.missed_touches += (now_s - row.caught_up_s) * row.touch_per_s * row.absent
    row.caught_up_s = now_s


@compiled
def catch_up_all(m, w):
    one = m.instance[w]
    for c in range(one.first_class, one.first_class + one.nr_classes):
        catch_up(m, c)


@compiled
def draw_touch(m, row):
    """After so many expected ones more the next miss comes."""
    row.next_touch = row.missed_touches - math.log(uniform(m))


@compiled
def expect_touch(m, c):
    """Puts the heat's next miss into the queue, if at this rate it comes before the process looks again."""
    row = m.class_[c]
    catch_up(m, c)
    per_s = row.touch_per_s * row.absent
    if row.is_due or row.is_held_up or per_s == 0.0 or not is_in_use(m, row):
        return
    wait_s = max(row.next_touch - row.missed_touches, 0.0) / per_s
    if wait_s <= DEMAND_S:
        row.is_due = 1
        schedule(m, m.system[0].time_s + wait_s, TOUCH, c)
