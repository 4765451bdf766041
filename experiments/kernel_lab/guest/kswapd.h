/* The kswapd threads as processes: CPU time since t = 0, and whether they run. */
#ifndef KSWAPD_H
#define KSWAPD_H

void find_kswapds(int nr_nodes);
void put_kswapd(int node);

#endif
