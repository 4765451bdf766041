"""Planted one-line faults: each must fail the case named beside it, as plain Python, so nothing compiles."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.model import (
    test_access,
    test_anon,
    test_audit,
    test_boost,
    test_kswapd,
    test_lru_balance,
    test_memcontrol,
    test_memory_hotplug,
    test_migrate,
    test_oomd,
    test_page_alloc,
    test_psi,
    test_reader,
    test_reclaim,
    test_refault,
    test_reset_rule,
    test_rng,
    test_rstat,
    test_rules,
    test_slab,
    test_slices,
    test_swap,
    test_vmscan,
    test_watermark,
    test_workingset,
)
from tests.model.plain import MODEL_FOLDER, load_plain_model

# (file, what stands there once, what the fault puts there, the case that must fail)
MUTANTS: list[tuple[str, str, str, Callable]] = [
    (
        "watermark.py",
        "pgdat.free_pages - pgdat.unusable_pages > mark_pages",
        "pgdat.free_pages - pgdat.unusable_pages >= mark_pages",
        test_watermark.test_the_mark_itself_is_not_enough,
    ),
    (
        "watermark.py",
        "pgdat.free_pages - pgdat.unusable_pages - mark_pages",
        "pgdat.free_pages - mark_pages",
        test_watermark.test_pages_above_a_mark_are_what_may_be_taken_before_it_fails,
    ),
    ("rng.py", "0xD2511F53", "0xD2511F55", test_rng.test_philox_gives_the_published_words),
    (
        "rng.py",
        "np.uint64(env.episode))\n    half",
        "np.uint64(0))\n    half",
        test_rng.test_a_draw_depends_on_seed_and_episode_and_on_the_clock_unless_timeless,
    ),
    (
        "lru_balance.py",
        "math.sqrt(10.0 * gib)",
        "math.sqrt(gib)",
        test_vmscan.test_inactive_is_low_below_the_kernels_ratio_of_active_to_inactive,
    ),
    (
        "folio_fate.py",
        "activated = activated + referenced * young",
        "activated = activated + referenced * spread(0.0)",
        test_vmscan.test_fate_of_an_examined_inactive_page,
    ),
    (
        "folio_fate.py",
        "    elif class_.access == EXEC:\n        activated = fresh",
        "    else:\n        referenced = referenced + fresh",
        test_vmscan.test_an_untouched_page_is_reclaimed_on_the_second_look_a_fresh_one_on_the_third,
    ),
    (
        "vmscan.py",
        "evictor = BY_NODE if reason <= GLOBAL_DIRECT else BY_LIMIT",
        "evictor = BY_NODE",
        test_workingset.test_limit_reclaim_leaves_its_shadows_with_the_cgroup,
    ),
    (
        "scan_count.py",
        "memcg.emin_pages >= memcg.usage_pages",
        "memcg.emin_pages > memcg.usage_pages",
        test_vmscan.test_a_cgroup_below_min_loses_nothing_to_others,
    ),
    (
        "scan_count.py",
        "memcg.emin_pages if low_ignored",
        "memcg.elow_pages if low_ignored",
        test_vmscan.test_protection_shortens_a_list_before_the_shift,
    ),
    (
        "vmscan.py",
        "proportional = reason == GLOBAL_DIRECT and priority == DEF_PRIORITY",
        "proportional = False",
        test_vmscan.test_a_limited_scan_stops_at_its_target_but_not_direct_reclaim_at_first_priority,
    ),
    (
        "arrivals.py",
        "inactive_touched = k - active if mapped else demanded - active",
        "inactive_touched = demanded - active",
        test_workingset.test_pages_arrive_at_the_head_touched_if_demanded_or_mapped_around,
    ),
    (
        "refault.py",
        "env.now_s += spent_s / batches",
        "env.now_s += 0.0",
        test_refault.test_a_turns_calls_come_when_its_reads_have_come_back,
    ),
    (
        "refault.py",
        "class_.unasked_pages = class_.absent_pages",
        "class_.unasked_pages = 0",
        test_refault.test_what_nobody_missed_in_the_slice_is_not_asked_for_again_before_it_ends,
    ),
    (
        "anon.py",
        "            read_back(env, memcg, pause_s)",
        "            pass",
        test_refault.test_what_a_tasks_call_takes_is_back_before_the_slice_ends,
    ),
    (
        "vmscan.py",
        "if lruvec.nr_sets > 1 or env.class_",
        "if env.class_",
        test_vmscan.test_of_two_classes_alike_each_is_as_likely_to_give_the_one_page_that_is_scanned,
    ),
    (
        "rstat.py",
        "math.floor((since_s - env.tick_s) / FLUSH_S)",
        "math.floor((since_s - 2.0 * env.tick_s) / FLUSH_S)",
        test_rstat.test_the_worker_flushes_every_two_seconds_whatever_the_tick,
    ),
    (
        "rstat.py",
        "pgdat.stat_list_pages[lst] = pgdat.list_pages[lst]",
        "pgdat.stat_list_pages[lst] = pgdat.stat_list_pages[lst]",
        test_rstat.test_deactivation_goes_by_the_lists_of_the_last_flush,
    ),
    (
        "workingset.py",
        "        env.node[set_.nid].nonresident_age += nr_pages\n    else:",
        "        workingset_age_nonresident(env, env.lruvec[set_.lruvec], nr_pages)\n    else:",
        test_vmscan.test_eviction_leaves_a_shadow_and_moves_the_clocks,
    ),
    (
        "lru_balance.py",
        "longest = max(longest, SWAP_CLUSTER_MAX)",
        "longest = max(longest, 1)",
        test_kswapd.test_a_protected_list_is_looked_at_as_if_it_had_a_cluster,
    ),
    (
        "page_counter.py",
        "if memcg.parent == root:",
        "if memcg.parent < 0:",
        test_memcontrol.test_against_its_parents_own_limit_a_child_has_what_it_asks_for,
    ),
    (
        "folio_fate.py",
        "greater(spread(begin_s), inserted_s)",
        "greater(spread(begin_s), spread(end_s))",
        test_vmscan.test_a_silence_that_is_over_counts_as_untouched,
    ),
    (
        "rstat.py",
        "(set_.filled_s - at_s) / env.fill_s",
        "-at_s / env.fill_s",
        test_rstat.test_a_flush_before_the_start_saw_the_files_read_in_one_after_the_other,
    ),
    (
        "kswapd_pass.py",
        "inactive_is_low(inactive, pgdat.stat_list_pages[ACTIVE])",
        "inactive_is_low(pgdat.list_pages[INACTIVE], pgdat.list_pages[ACTIVE])",
        test_rstat.test_deactivation_goes_by_the_lists_of_the_last_flush,
    ),
    (
        "kswapd_run.py",
        "pgdat.activate_snapshot = pgdat.stat_workingset_activate",
        "pgdat.activate_snapshot = pgdat.workingset_activate",
        test_rstat.test_activations_between_two_flushes_are_news_in_one_run_only,
    ),
    (
        "scan_count.py",
        "range(first, last - 1, -1)",
        "range(first, last, -1)",
        test_kswapd.test_passes_made_as_one_are_what_they_are_one_by_one,
    ),
    (
        "scan_count.py",
        "activated - examined * evicted_ratio",
        "activated",
        test_kswapd.test_passes_made_as_one_are_what_they_are_one_by_one,
    ),
    (
        "scan_count.py",
        "aged * (1.0 - rotated_ratio)",
        "aged",
        test_kswapd.test_passes_made_as_one_are_what_they_are_one_by_one,
    ),
    (
        "kswapd_pass.py",
        "(before - lruvec.list_pages[INACTIVE] - reclaimed) / scanned",
        "(before - lruvec.list_pages[INACTIVE]) / scanned",
        test_kswapd.test_kswapd_remembers_what_became_of_the_pages_it_examined,
    ),
    (
        "scan_count.py",
        "        new_inactive = 0.0\n",
        "",
        test_kswapd.test_passes_made_as_one_meet_what_came_to_a_crowds_lists_once,
    ),
    (
        "scan_count.py",
        "        new_active = 0.0\n",
        "",
        test_kswapd.test_passes_made_as_one_meet_what_came_to_a_crowds_lists_once,
    ),
    (
        "kswapd.py",
        "pgdat.vmstat.awake_s -= max(pgdat.cpu_carry_s, 0.0) / share",
        "pgdat.vmstat.awake_s -= max(pgdat.cpu_carry_s, 0.0)",
        test_kswapd.test_what_is_left_of_a_slice_in_which_kswapd_begins_to_doze_is_the_dozes,
    ),
    (
        "kswapd.py",
        "pgdat.doze_left_s - max(pgdat.cpu_carry_s, 0.0) / share",
        "pgdat.doze_left_s",
        test_kswapd.test_what_is_left_of_a_slice_in_which_kswapd_begins_to_doze_is_the_dozes,
    ),
    (
        "kswapd.py",
        "< min(missing, MERGED_PAGES)",
        "< MERGED_PAGES",
        test_kswapd.test_passes_that_could_balance_the_node_are_made_one_by_one,
    ),
    (
        "kswapd.py",
        "< min(missing, MOMENTARY_PAGES)",
        "< MOMENTARY_PAGES",
        test_kswapd.test_passes_that_could_balance_the_node_are_made_one_by_one,
    ),
    (
        "kswapd.py",
        "spent_s = nr_passes(pgdat) * pass_cost_s(env)",
        "spent_s = pass_cost_s(env)",
        test_kswapd.test_passes_made_as_one_cost_what_each_of_them_costs,
    ),
    (
        "kswapd_run.py",
        "pgdat.kswapd_failures += 1",
        "pgdat.kswapd_failures += 2",
        test_kswapd.test_a_run_that_ends_is_followed_by_the_next_or_by_a_doze,
    ),
    (
        "wakeup.py",
        "if kswapd_test_hopeless(pgdat) or (pgdat",
        "if (pgdat",
        test_kswapd.test_a_wake_is_accepted_below_high_unless_kswapd_has_given_up,
    ),
    (
        "kswapd_run.py",
        "return kswapd_test_hopeless(pgdat) or pgdat_balanced(pgdat)",
        "return pgdat_balanced(pgdat)",
        test_kswapd.test_a_doze_that_runs_out_ends_in_sleep_unless_there_is_work,
    ),
    (
        "kswapd_run.py",
        "if not was_balanced and pgdat.run_reclaimed_pages == 0:",
        "if pgdat.run_reclaimed_pages == 0:",
        test_kswapd.test_a_run_on_a_balanced_node_scans_nothing_and_is_no_failure,
    ),
    (
        "kswapd_run.py",
        "if harder or reclaimed == 0:",
        "if harder:",
        test_kswapd.test_priority_falls_after_a_pass_that_freed_nothing_however_much_it_examined,
    ),
    (
        "kswapd_run.py",
        "wanted = max(pgdat.high_wmark_pages, SWAP_CLUSTER_MAX)",
        "wanted = SWAP_CLUSTER_MAX",
        test_kswapd.test_priority_stays_where_a_pass_examines_high_wmark_pages_and_frees_some,
    ),
    (
        "kswapd_run.py",
        "pgdat.run_reclaimed_pages == 0 and pgdat.trim_failed and not pgdat.trim_forbidden",
        "pgdat.run_reclaimed_pages == 0 and pgdat.trim_failed < 0",
        test_kswapd.test_a_fruitless_run_of_trim_passes_is_repeated_once_without_them,
    ),
    (
        "kswapd_pass.py",
        "if mem_cgroup_below_low(memcg) and not pgdat.low_ignored:",
        "if False:",
        test_kswapd.test_kswapd_breaks_neither_min_nor_low,
    ),
    (
        "kswapd_pass.py",
        "if mem_cgroup_below_min(memcg):",
        "if False:",
        test_kswapd.test_kswapd_breaks_neither_min_nor_low,
    ),
    (
        "kswapd_pass.py",
        "pgdat.low_skipped = 1",
        "pgdat.low_skipped = 0",
        test_rules.test_retry_low_takes_from_a_protected_cgroup_before_a_run_counts_as_failed,
    ),
    (
        "kswapd_run.py",
        "pgdat.kswapd_failures == pgdat.failure_limit",
        "pgdat.kswapd_failures == 16",
        test_rules.test_kswapd_gives_up_at_the_rules_number_of_fruitless_runs,
    ),
    (
        "kswapd_run.py",
        "pgdat.allocated_at_hopeless_pages = pgdat.vmstat.pgalloc_normal",
        "pgdat.allocated_at_hopeless_pages = 0",
        test_rules.test_allocations_since_it_gave_up_revive_a_node,
    ),
    (
        "kswapd_run.py",
        "now_s - pgdat.probed_s < pgdat.probe_wait_s",
        "now_s < pgdat.probe_wait_s",
        test_rules.test_backoff_doubles_its_wait_after_each_futile_probe_up_to_the_most,
    ),
    (
        "probe.py",
        "env.time_s - pgdat.hopeless_since_s >= pgdat.probe_wait_s",
        "env.time_s >= pgdat.probe_wait_s",
        test_rules.test_a_timer_revives_and_wakes_after_its_wait_and_not_before,
    ),
    (
        "probe.py",
        "(pgdat.low_wmark_pages + pgdat.min_wmark_pages) // 2",
        "pgdat.low_wmark_pages",
        test_rules.test_allocated_free_wants_memory_half_way_from_min_to_low,
    ),
    (
        "reset_rule.py",
        "max(failures - pgdat.reset_step, min(failures, pgdat.reset_floor))",
        "max(failures - pgdat.reset_step, 0)",
        test_rules.test_what_a_reset_leaves_of_the_count,
    ),
    (
        "reset_signal.py",
        "return refaults_are_cheap(env, pgdat) and can_close and direct_stalls(pgdat)",
        "return refaults_are_cheap(env, pgdat) and can_close",
        test_rules.test_truth_table_of_the_signals,
    ),
    (
        "reset_signal.py",
        "* (1.0 - share)",
        "* 1.0",
        test_rules.test_protected_file_pages_close_no_gap,
    ),
    (
        "reset_signal.py",
        "and pgdat.refault_20s_per_s <= ratio * pgdat.steal_20s_per_s",
        "and True",
        test_rules.test_refaults_must_be_cheap_over_both_windows,
    ),
    (
        "reset_signal.py",
        "call_s / SWAP_CLUSTER_MAX / env.device.latency_s",
        "call_s / env.device.latency_s",
        test_rules.test_break_even_is_a_calls_part_in_reads,
    ),
    (
        "account.py",
        "if pgdat.reset_signal != NO_SIGNAL:",
        "if False:",
        test_rules.test_direct_reclaims_means_are_kept_where_a_rule_reads_them_and_only_there,
    ),
    (
        "wakeup.py",
        "pgdat.vmstat.kswapd_low_wmark_hit_quickly += 1",
        "pgdat.vmstat.kswapd_high_wmark_hit_quickly += 1",
        test_kswapd.test_a_wake_is_accepted_below_high_unless_kswapd_has_given_up,
    ),
    (
        "reset_rule.py",
        "return pgdat_balanced(pgdat)",
        "return True",
        test_reset_rule.test_truth_table_of_the_rule,
    ),
    ("reset_rule.py", "bit = 1 << reason", "bit = 2 << reason", test_reset_rule.test_truth_table_of_the_rule),
    (
        "reset_rule.py",
        "pgdat.vmstat.progress[reason] += nr_events",
        "pgdat.vmstat.progress[reason] += 1",
        test_reset_rule.test_several_passes_at_once_are_as_many_events_but_one_reset,
    ),
    (
        "buddy.py",
        "nid + 1 < env.nr_nodes",
        "nid < env.nr_nodes",
        test_reset_rule.test_free_memory_above_high_revives_a_node_from_6_18_on_except_the_last,
    ),
    (
        "buddy.py",
        "if pgdat.below_high and zone_watermark_ok",
        "if zone_watermark_ok",
        test_reset_rule.test_the_free_path_acts_only_where_memory_was_below_high_before,
    ),
    (
        "page_alloc.py",
        "work.no_progress_loops > MAX_RECLAIM_RETRIES",
        "work.no_progress_loops >= MAX_RECLAIM_RETRIES",
        test_page_alloc.test_retries_end_after_sixteen_without_progress_or_when_no_node_can_reach_min,
    ),
    (
        "page_alloc.py",
        "if kswapd_test_hopeless(pgdat):",
        "if False:",
        test_page_alloc.test_below_half_of_min_tasks_wait_for_kswapd_unless_it_has_given_up,
    ),
    (
        "page_alloc.py",
        "pgdat.free_pages > pgdat.min_wmark_pages // 2",
        "pgdat.free_pages > pgdat.min_wmark_pages",
        test_page_alloc.test_below_half_of_min_tasks_wait_for_kswapd_unless_it_has_given_up,
    ),
    (
        "oom_kill.py",
        "work.oom_score_adj * total / 1000.0",
        "work.oom_score_adj * total / 100.0",
        test_page_alloc.test_oom_score_adj_moves_the_score_by_thousandths_of_memory_and_minus_1000_forbids,
    ),
    (
        "page_alloc.py",
        "env.node[wanted].vmstat.numa_foreign += nr_pages",
        "env.node[got_from].vmstat.numa_foreign += nr_pages",
        test_page_alloc.test_a_task_takes_local_pages_down_to_low_then_spills_and_wakes_nobody,
    ),
    (
        "page_alloc.py",
        "pgdat.min_wmark_pages if mark == MIN_WMARK else pgdat.low_wmark_pages",
        "pgdat.min_wmark_pages",
        test_page_alloc.test_the_slow_path_wakes_every_allowed_node_and_takes_down_to_min_in_zonelist_order,
    ),
    (
        "page_alloc.py",
        "return ALL_NODES if work.policy == INTERLEAVE else work.node_mask",
        "return work.node_mask",
        test_page_alloc.test_interleave_falls_back_to_other_nodes,
    ),
    (
        "memcontrol.py",
        "ratio * ratio * nr_pages",
        "ratio * nr_pages",
        test_memcontrol.test_high_delay_of_a_batch_grows_with_the_square_of_the_overage,
    ),
    (
        "memcontrol.py",
        "return min(nr_pages, room), spent_s",
        "return nr_pages, spent_s",
        test_memcontrol.test_the_tightest_limit_of_the_ancestors_holds,
    ),
    (
        "page_counter.py",
        "return protected * parent_effective / claimed",
        "return protected",
        test_memcontrol.test_siblings_who_claim_too_much_share_in_proportion,
    ),
    (
        "page_counter.py",
        "claimed_low += min(env.memcg[g].usage_pages, max(env.memcg[g].low_pages, 0))",
        "claimed_low += max(env.memcg[g].low_pages, 0)",
        test_memcontrol.test_siblings_who_claim_too_much_share_in_proportion,
    ),
    (
        "memcontrol.py",
        "memcg.fruitless_retries > MAX_RECLAIM_RETRIES",
        "memcg.fruitless_retries > 2 * MAX_RECLAIM_RETRIES",
        test_memcontrol.test_eighteen_fruitless_tries_at_max_kill_a_task_of_the_cgroup,
    ),
    (
        "workingset.py",
        "set_.shadow_age[evictor, c] >= reach",
        "set_.shadow_age[evictor, c] > reach + 1",
        test_workingset.test_a_refault_is_recent_within_as_many_evictions_as_there_are_active_pages,
    ),
    (
        "workingset.py",
        "return env.node[set_.nid].stat_list_pages[ACTIVE]",
        "return env.lruvec[set_.lruvec].stat_list_pages[ACTIVE]",
        test_workingset.test_the_active_pages_of_the_whole_node_judge_pages_kswapd_evicted,
    ),
    (
        "access.py",
        "twice = 0.0 if class_.loop else",
        "twice = 0.0 if False else",
        test_access.test_a_file_read_in_order_is_not_read_twice_in_one_tick,
    ),
    (
        "access.py",
        "mean_s = class_.on_s if class_.on else class_.off_s",
        "mean_s = class_.off_s if class_.on else class_.on_s",
        test_access.test_an_on_off_class_switches_with_the_means_it_was_given,
    ),
    (
        "anon.py",
        "reserve -= reserve // 4",
        "reserve -= 0",
        test_anon.test_atomic_bursts_go_down_to_three_eighths_of_min_and_wake_kswapd_below_low,
    ),
    (
        "anon.py",
        "give_back(env, w, have + gained, gained)",
        "give_back(env, w, have + gained, 0)",
        test_anon.test_churn_frees_as_much_as_it_takes,
    ),
    (
        "reclaim.py",
        "elif sc.skipped_low and not sc.low_ignored:",
        "elif False:",
        test_reclaim.test_low_is_broken_only_when_nothing_else_gives,
    ),
    (
        "reclaim.py",
        "if g == last:",
        "if g == last and is_full:",
        test_reclaim.test_a_partial_walk_ends_at_the_trees_end_a_full_one_sees_every_cgroup,
    ),
    (
        "reclaim.py",
        "elif sc.skipped_deactivate and not sc.force_deactivate:",
        "elif False:",
        test_reclaim.test_a_fruitless_call_walks_all_then_deactivates_if_active_pages_were_spared,
    ),
    (
        "reclaim.py",
        "target.activate_snapshot = target.stat_workingset_activate",
        "target.activate_snapshot = target.activate_snapshot",
        test_reclaim.test_activations_by_refault_allow_deactivation_once,
    ),
    (
        "folio_fate.py",
        "return bins.aimed_total(set_)\n    reclaimed, _",
        "return 0.0\n    reclaimed, _",
        test_vmscan.test_a_limited_scan_that_strode_past_young_pages_still_stops_at_its_target,
    ),
    (
        "tick.py",
        "boost.steal_blocks(env, env.time_s + slice_s)",
        "boost.steal_blocks(env, env.time_s)",
        test_boost.test_a_block_stolen_within_a_tick_is_reclaimed_by_the_run_that_follows,
    ),
    (
        "vmscan.py",
        "while part > least and",
        "while False and",
        test_vmscan.test_a_limited_scan_that_strode_past_young_pages_still_stops_at_its_target,
    ),
    (
        "vmscan.py",
        "env.looks_again = unseen_pages(env, lruvec, members) <= 0",
        "env.looks_again = 0",
        test_reclaim.test_the_second_lap_of_a_call_finds_untouched_what_the_first_put_back,
    ),
    (
        "vmscan.py",
        "max(lruvec.visited_pages[lst] + pages, 0)",
        "lruvec.visited_pages[lst]",
        test_reclaim.test_further_calls_of_a_member_meet_what_the_first_left_of_its_list,
    ),
    (
        "memcontrol.py",
        "env, limited, env.workload[w].cpu_node, SWAP_CLUSTER_MAX, batch",
        "env, limited, env.workload[w].cpu_node, MEMCG_CHARGE_BATCH, batch",
        test_memcontrol.test_at_max_a_call_is_for_32_pages,
    ),
    (
        "memcontrol.py",
        "if work.high_fruitless > MAX_RECLAIM_RETRIES:",
        "if work.high_fruitless > 0:",
        test_memcontrol.test_a_task_over_high_sleeps_when_seventeen_calls_have_got_nowhere,
    ),
    (
        "memcontrol.py",
        "over * worst_high > worst * high",
        "over > 0",
        test_memcontrol.test_of_several_limits_the_worst_overage_decides_how_long_a_task_sleeps,
    ),
    (
        "memcontrol.py",
        "stock_pages = env.memcg[work.memcg].stock_pages - later_pages",
        "stock_pages = env.memcg[work.memcg].stock_pages",
        test_memcontrol.test_batches_that_were_charged_below_high_owe_no_call,
    ),
    (
        "memcontrol.py",
        "missing + MEMCG_CHARGE_BATCH - 1",
        "missing",
        test_memcontrol.test_a_batch_of_64_pages_is_charged_before_the_first_of_them_is_used,
    ),
    (
        "reclaim.py",
        "while priority >= 0:",
        "while priority > 0:",
        test_reclaim.test_priority_goes_down_to_zero,
    ),
    (
        "reclaim.py",
        "env.node[nid].reclaim_cursor = g",
        "env.node[nid].reclaim_cursor = 0",
        test_reclaim.test_calls_take_turns_on_cgroups,
    ),
    (
        "arrivals.py",
        "touched = FRESH if mapped else REFERENCED",
        "touched = FRESH if mapped else UNREFERENCED",
        test_workingset.test_pages_arrive_at_the_head_touched_if_demanded_or_mapped_around,
    ),
    (
        "bins.py",
        "sum_ahead(inside) if env.aims_head else sum_behind(inside)",
        "sum_ahead(inside)",
        test_access.test_pages_leave_from_the_tail_in_whole_numbers,
    ),
    (
        "device.py",
        "served_s = min(asked_s, slice_s)",
        "served_s = asked_s",
        test_reader.test_the_device_serves_no_more_than_time_allows_and_keeps_the_rest,
    ),
    (
        "reader.py",
        "work.throughput_per_s -= (wanted - granted) / slice_s",
        "work.throughput_per_s = granted / slice_s",
        test_reader.test_a_stream_keeps_its_pace_to_the_page,
    ),
    (
        "account.py",
        "enough = cold_pages(env, nid) > deficit",
        "enough = cold_pages(env, nid) > 0",
        test_reader.test_time_hopeless_is_told_apart_by_what_could_be_reclaimed,
    ),
    (
        "tick.py",
        "w = (i + env.tick) % env.nr_workloads",
        "w = i",
        test_reader.test_turns_within_a_tick_rotate,
    ),
    (
        "boost.py",
        "most = max(high * env.watermark_boost_factor // 10_000, PAGEBLOCK_PAGES)",
        "most = high * env.watermark_boost_factor // 10_000",
        test_boost.test_the_factor_caps_a_boost_at_a_share_of_high_or_a_block_and_zero_forbids_it,
    ),
    (
        "boost.py",
        "high = pgdat.high_wmark_pages - pgdat.boost_pages",
        "high = pgdat.high_wmark_pages",
        test_boost.test_a_steal_raises_every_mark_by_a_block_up_to_one_and_a_half_times_high,
    ),
    (
        "boost.py",
        "DEF_PRIORITY - 2",
        "DEF_PRIORITY - 3",
        test_boost.test_a_boosted_run_scans_no_harder_than_priority_10_and_ends_when_the_boost_is_reclaimed,
    ),
    (
        "boost.py",
        "if pgdat.boost_left_pages > 0 and not pgdat_balanced(pgdat):",
        "if False:",
        test_boost.test_below_high_the_boost_is_forgotten_and_the_run_goes_down_to_priority_1,
    ),
    (
        "boost.py",
        "pgdat.boost_pages - min(pgdat.run_boost_pages, pgdat.boost_pages)",
        "0",
        test_boost.test_a_boost_added_during_a_run_stays_for_the_next,
    ),
    (
        "wakeup.py",
        "(pgdat_balanced(pgdat) and pgdat.boost_pages == 0)",
        "pgdat_balanced(pgdat)",
        test_boost.test_a_boost_wakes_the_kswapd_of_a_balanced_node_unless_it_has_given_up,
    ),
    (
        "kswapd_run.py",
        "if pgdat.boost_left_pages > 0 and reclaimed == 0:",
        "if False:",
        test_boost.test_a_boosted_run_stops_at_the_first_fruitless_pass_a_failure_until_6_18,
    ),
    (
        "kswapd_run.py",
        "if not env.counts_boosted_runs:",
        "if False:",
        test_boost.test_a_boosted_run_stops_at_the_first_fruitless_pass_a_failure_until_6_18,
    ),
    (
        "anon.py",
        "min_pages = pgdat.min_wmark_pages - pgdat.boost_pages",
        "min_pages = pgdat.min_wmark_pages",
        test_boost.test_an_atomic_allocation_does_not_see_the_boost,
    ),
    (
        "memory_hotplug.py",
        "max(_calculate_min_free_kib(lowmem_pages), env.user_min_free_kib)",
        "_calculate_min_free_kib(lowmem_pages)",
        test_memory_hotplug.test_what_a_user_wrote_is_a_floor_that_huge_pages_raise,
    ),
    (
        "memory_hotplug.py",
        "pgdat.boost_pages = 0",
        "pgdat.boost_pages += 0",
        test_memory_hotplug.test_a_boost_ends_where_the_marks_are_set_anew,
    ),
    (
        "memory_hotplug.py",
        "    pgdat.free_pages += nr_pages\n",
        "",
        test_memory_hotplug.test_a_block_on_line_is_free_at_once_and_sets_the_marks_of_every_node_anew,
    ),
    (
        "memory_hotplug.py",
        "got = min(nr_pages, pgdat.balloon_pages)",
        "got = nr_pages",
        test_memory_hotplug.test_a_balloon_takes_and_gives_pages_and_leaves_the_marks,
    ),
    (
        "memory_hotplug.py",
        "got = min(pages_above(pgdat, pgdat.min_wmark_pages), request.left_pages)",
        "got = min(pgdat.free_pages, request.left_pages)",
        test_memory_hotplug.test_a_block_goes_off_line_as_fast_as_free_pages_appear_and_wakes_kswapd,
    ),
    (
        "wmark_setup.py",
        "max(min_pages // 4, managed_pages",
        "max(min_pages // 2, managed_pages",
        test_memory_hotplug.test_what_a_user_wrote_is_a_floor_that_huge_pages_raise,
    ),
    (
        "psi.py",
        "stalled_s = reclaiming_s + slept_s + workingset_s",
        "stalled_s = reclaiming_s + slept_s",
        test_psi.test_some_is_waiters_over_threads_and_full_what_nobody_works_in,
    ),
    (
        "psi.py",
        "not_running = 1.0 - min((working_s + reclaiming_s)",
        "not_running = 1.0 - min((working_s)",
        test_psi.test_io_is_full_only_where_no_cpu_runs_anybody_reclaimers_too,
    ),
    (
        "psi.py",
        ", nr_cpus * tick_s)",
        ", 1e9)",
        test_psi.test_more_workers_than_cpus_leave_no_pressure_full,
    ),
    (
        "psi.py",
        "psi.sampled_s[i] = psi.total_s[i]",
        "psi.sampled_s[i] = 0.0",
        test_psi.test_averages_take_in_the_share_of_every_two_seconds,
    ),
    (
        "reader.py",
        "vmstat.workingset_wait_s += nr_ios * wait_s * recent / nr_pages",
        "vmstat.workingset_wait_s += 0.0",
        test_psi.test_a_machine_that_refaults_its_working_set_shows_memory_and_io_pressure,
    ),
    (
        "oomd.py",
        "oomd.next_look_s = env.time_s + PAUSE_S",
        "oomd.next_look_s = env.time_s + LOOK_S",
        test_oomd.test_after_a_kill_it_looks_away_for_fifteen_seconds,
    ),
    (
        "oomd.py",
        "        oomd.above_since_s = -1.0\n    elif",
        "        oomd.above_since_s += 0.0\n    elif",
        test_oomd.test_pressure_that_eases_begins_anew,
    ),
    (
        "oomd.py",
        "one.pgscan - one.looked_pgscan",
        "one.pgscan",
        test_oomd.test_what_was_scanned_before_the_last_look_does_not_count,
    ),
    (
        "oomd.py",
        "if work.memcg == g and is_victim(env, work):",
        "if work.memcg == g and is_victim(env, work) and w == 0:",
        test_oomd.test_it_strikes_when_the_pressure_has_lasted_and_kills_the_whole_cgroup_scanned_most,
    ),
    (
        "slab.py",
        "delta = 2 * (freeable >> priority)",
        "delta = freeable >> priority",
        test_slab.test_a_pass_scans_twice_the_pool_shifted_in_whole_batches,
    ),
    (
        "slab.py",
        "left = pgdat.slab_deferred_objects + delta - scanned",
        "left = 0",
        test_slab.test_what_is_less_than_a_batch_waits_for_the_next_pass,
    ),
    (
        "slab.py",
        "batch = min(SHRINK_BATCH, freeable)",
        "batch = SHRINK_BATCH",
        test_slab.test_a_pool_smaller_than_a_batch_goes_whole,
    ),
    (
        "slab.py",
        "pgdat.pass_reclaimed_pages += freed",
        "pgdat.pass_reclaimed_pages += 0",
        test_slab.test_slab_freed_by_kswapd_is_progress_of_its_run_and_counts_as_no_page_scanned_or_stolen,
    ),
    (
        "slab.py",
        "got = min(pages_above(pgdat, pgdat.min_wmark_pages), wanted)",
        "got = min(pages_above(pgdat, pgdat.low_wmark_pages), wanted)",
        test_slab.test_the_trickle_takes_pages_down_to_min_and_wakes_kswapd_below_low,
    ),
    (
        "folio_fate.py",
        "    uncharge(env, class_.memcg, nr_pages)\n",
        "",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "buddy.py",
        "pgdat.vmstat.pgfree += nr_pages",
        "pgdat.vmstat.pgfree += 1",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "bins.py",
        "env.node[set_.nid].list_pages[lst] += pages",
        "env.node[set_.nid].list_pages[lst] += pages // 2",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "page_alloc.py",
        "env.memcg[work.memcg].anon_pages[nid] -= nr_pages",
        "env.memcg[work.memcg].anon_pages[nid] -= 1",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "workingset.py",
        "set_.shadow_pages[evictor, c] -= k",
        "set_.shadow_pages[evictor, c] -= 0",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "access.py",
        "bins.resize(env, set_, ACTIVE, nr_activated)",
        "bins.resize(env, set_, ACTIVE, 0)",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "bins.py",
        "load(env.taken_ratio) * spread(inside)",
        "load(env.taken_ratio) * spread(inside / 2.0)",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "arrivals.py",
        "count_windows(env, set_, -nr_windows)",
        "count_windows(env, set_, 0)",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "kswapd_run.py",
        "kswapd_high_wmark_hit_quickly += 1",
        "kswapd_high_wmark_hit_quickly += 2",
        test_audit.test_a_machine_of_many_parts_passes_the_audit,
    ),
    (
        "memory_hotplug.py",
        "    pgdat.managed_pages += got\n",
        "",
        test_audit.test_a_machine_of_many_parts_passes_the_audit,
    ),
    (
        "psi.py",
        "MEMORY_FULL] += min(memory, idle)",
        "MEMORY_FULL] += idle",
        test_audit.test_a_pressed_machine_passes_the_audit,
    ),
    (
        "migrate.py",
        "    rmqueue(lower, k)\n",
        "",
        test_audit.test_a_machine_of_many_parts_passes_the_audit,
    ),
    (
        "slab.py",
        "pgdat.slab_pages += got",
        "pgdat.slab_pages += 0",
        test_audit.test_a_machine_of_many_parts_passes_the_audit,
    ),
    (
        "swap_out.py",
        "k = min(nr_pages, nr_swap_pages(env, class_.memcg))",
        "k = nr_pages",
        test_swap.test_pages_that_find_no_slot_are_activated,
    ),
    (
        "swap_out.py",
        "- served_s - WRITEBACK_S, 0.0)",
        "- WRITEBACK_S, 0.0)",
        test_swap.test_reclaimers_sleep_behind_a_tenth_of_a_second_of_writes,
    ),
    (
        "kswapd.py",
        "spent_s - env.write_wait_s",
        "spent_s",
        test_swap.test_waiting_for_writes_is_no_cpu_time_of_kswapd,
    ),
    (
        "folio_fate.py",
        "nr_activated = k - nr_kept - nr_reclaimed",
        "nr_activated += 0",
        test_swap.test_pages_that_find_no_slot_are_activated,
    ),
    (
        "swap_slots.py",
        "free = min(free, memcg.swap_max_pages - memcg.swap_pages)",
        "free = min(free, memcg.swap_max_pages)",
        test_lru_balance.test_a_cgroups_swap_max_bounds_its_slots_through_the_tree,
    ),
    (
        "swap_slots.py",
        "pgdat.kernel_pages += grown",
        "pgdat.kernel_pages += 0",
        test_swap.test_compressed_swap_keeps_its_part_of_the_memory_and_costs_cpu,
    ),
    (
        "swap_in.py",
        "class_.rate_per_s *= demanded / missed",
        "class_.rate_per_s *= 1.0",
        test_swap.test_threads_that_are_too_few_for_their_misses_slow_everything_down,
    ),
    (
        "anon_lru.py",
        "charge_swap(env, class_, -nr_pages)",
        "charge_swap(env, class_, 0)",
        test_swap.test_an_exit_frees_frames_and_slots_alike,
    ),
    (
        "anon_lru.py",
        "return max(class_.share_ratio * held_pages - class_.pages, 0.0)",
        "return class_.share_ratio * held_pages",
        test_swap.test_new_pages_keep_the_shares_of_the_heats_and_enter_young_at_the_inactive_head,
    ),
    (
        "workingset.py",
        "pages += anon[ACTIVE] if is_anon else",
        "pages +=",
        test_swap.test_a_refault_distance_is_held_against_what_the_page_could_displace,
    ),
    (
        "lru_balance.py",
        "weight_anon = swappiness * (anon + file + 1.0) / (anon + 1.0)",
        "weight_anon = swappiness * (anon + file + 1.0) / (file + 1.0)",
        test_lru_balance.test_the_dearer_type_is_scanned_less,
    ),
    (
        "lru_balance.py",
        "> pages // 4",
        "> pages",
        test_lru_balance.test_costs_rise_by_32_an_io_and_1_a_page_put_back_up_to_the_node_and_are_halved_when_large,
    ),
    (
        "lru_balance.py",
        "if who == BY_KSWAPD and",
        "if who == 7 and",
        test_lru_balance.test_a_boost_is_reclaimed_from_files_only,
    ),
    (
        "lru_balance.py",
        "file_pages + pgdat.free_pages > pgdat.high_wmark_pages",
        "file_pages > pgdat.high_wmark_pages",
        test_lru_balance.test_where_dropping_all_files_reaches_no_high_only_anonymous_memory_is_scanned,
    ),
    (
        "bins.py",
        "        if flag != FRESH:\n            lruvec.undated",
        "        if True:\n            lruvec.undated",
        test_access.test_pages_put_back_join_the_head_and_date_it,
    ),
    (
        "bins.py",
        "share = pages / cleared_total(env, lruvec, lst, 0)",
        "share = pages / bin_total(env, lruvec, lst, 0)",
        test_access.test_pages_still_young_since_their_fault_do_not_make_those_put_back_look_long_untouched,
    ),
    (
        "bins.py",
        "load(env.levelled) / greater(cleared, spread(NEARLY_NOTHING))",
        "load(env.levelled) / spread(bin_total(env, lruvec, lst, 0))",
        test_access.test_pages_still_young_since_their_fault_do_not_make_those_put_back_look_long_untouched,
    ),
    (
        "reader.py",
        " or not is_running(env, work)",
        "",
        test_reader.test_outside_its_time_nobody_asks_a_paced_workload_for_anything,
    ),
    (
        "migrate.py",
        "k = min(pages_above(lower, lower.min_wmark_pages), nr_pages)",
        "k = min(k, nr_pages)",
        test_migrate.test_the_lower_tier_gives_what_lies_above_min_and_its_kswapd_is_woken,
    ),
    (
        "migrate.py",
        "move_anon(env, class_, to, k)",
        "move_anon(env, class_, nid, k)",
        test_migrate.test_reclaimed_pages_of_both_types_move_to_the_lower_tier_and_count_as_reclaimed,
    ),
    (
        "switches.py",
        "and not was_enabled",
        "",
        test_migrate.test_demotion_switched_on_clears_every_count_from_6_18,
    ),
    (
        "slices.py",
        "if pgdat.vmstat.allocstall > pgdat.allocstall_before:",
        "if False:",
        test_slices.test_a_tick_after_one_in_which_a_task_reclaimed_is_cut,
    ),
    (
        "slices.py",
        "pgdat.allocstall_before = pgdat.vmstat.allocstall",
        "pass",
        test_slices.test_a_tick_after_one_in_which_a_task_reclaimed_is_cut,
    ),
    (
        "slices.py",
        "> room_pages(env, allowed_nodes(work))",
        "> 1 << 40",
        test_slices.test_a_tick_in_which_a_task_wants_more_than_its_nodes_have_is_cut,
    ),
    (
        "slices.py",
        "min(int(env.tick_s / lap_s(env, nid) + 0.5), refault_slices)",
        "int(env.tick_s / lap_s(env, nid) + 0.5)",
        test_slices.test_each_run_of_kswapd_has_a_slice,
    ),
    (
        "kswapd.py",
        "lists_s += scan_cost(env, env.set_[i], both_lists(env.set_[i].resident_pages), 0)",
        "lists_s += env.cost.scan_s * both_lists(env.set_[i].resident_pages)",
        test_slices.test_each_run_of_kswapd_has_a_slice,
    ),
    (
        "bins.py",
        "FULL_HEAD_RATIO = 2.0",
        "FULL_HEAD_RATIO = 1.125",
        test_access.test_a_list_is_levelled_when_its_head_holds_twice_its_share,
    ),
    (
        "arrivals.py",
        "k = of * nr_windows // set_.arriving_windows",
        "k = min(nr_windows, of)",
        test_workingset.test_a_window_comes_whole,
    ),
    (
        "vmscan.py",
        "bins.date_head(env, lruvec, INACTIVE, now_s)",
        "bins.date_head(env, lruvec, INACTIVE, 0.0)",
        test_vmscan.test_what_a_scan_puts_on_either_list_is_dated,
    ),
    (
        "vmscan.py",
        "bins.date_head(env, lruvec, ACTIVE, now_s)",
        "pass",
        test_vmscan.test_what_a_scan_puts_on_either_list_is_dated,
    ),
    (
        "slices.py",
        "and not work.dying and",
        "and",
        test_slices.test_a_killed_task_wants_nothing,
    ),
    (
        "reader.py",
        "spread(env, c, granted, nr_ios, granted, 0, 0)",
        "spread(env, c, granted, float(granted), granted, 0, 0)",
        test_reader.test_a_stream_reads_whole_windows,
    ),
    (
        "reader.py",
        "wanted = int(work.carry_pages / window) * window",
        "wanted = int(work.carry_pages)",
        test_reader.test_a_stream_reads_whole_windows,
    ),
    (
        "reader.py",
        "rng.timeless_uniform(env, rng.PHASES, 2048 + w, 0)",
        "rng.timeless_uniform(env, rng.PHASES, 2048, 0)",
        test_reader.test_streams_are_not_in_step,
    ),
    (
        "arrivals.py",
        "k += int(set_.begun_windows + set_.pace_windows * ratio)",
        "k += int(set_.pace_windows * ratio)",
        test_reader.test_a_streams_windows_are_evenly_apart,
    ),
    (
        "reader.py",
        "class_.rate_per_s * time_s * class_.pages / window, u) * window",
        "class_.rate_per_s * time_s * class_.pages, u)",
        test_reader.test_a_slow_file_read_in_order_comes_in_windows,
    ),
]
NAMES = [f"{file}: {' '.join(new.split())}" for file, _, new, _ in MUTANTS]


def runs(case: Callable) -> Iterator[dict]:
    """The arguments of each run pytest would make of a case."""
    choices = []
    for mark in getattr(case, "pytestmark", []):
        names, values = mark.args
        if isinstance(names, str):
            choices.append([{names: value} for value in values])
        else:
            choices.append([dict(zip(names, value, strict=True)) for value in values])
    for chosen in itertools.product(*choices):
        yield {name: value for arguments in chosen for name, value in arguments.items()}


def fails(case: Callable, model) -> bool:
    for arguments in runs(case):
        try:
            case(model, **arguments)
        except Exception:
            return True
    return False


@pytest.mark.parametrize(("file", "old", "new", "case"), MUTANTS, ids=NAMES)
def test_the_planted_fault_is_caught(model, tmp_path: Path, file, old, new, case):
    source = (MODEL_FOLDER / file).read_text()
    assert source.count(old) == 1, "the line to change is not there exactly once"
    folder = tmp_path / "model"
    shutil.copytree(MODEL_FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / file).write_text(source.replace(old, new))
    assert not fails(case, model), "the case fails without the fault"
    assert fails(case, load_plain_model(folder))


def test_every_case_of_the_table_is_one_that_pytest_runs():
    for _, _, _, case in MUTANTS:
        assert case.__name__.startswith("test_")
        assert {mark.name for mark in getattr(case, "pytestmark", [])} <= {"parametrize"}
