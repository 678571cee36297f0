"""Tests that show once more what another test shows: on another cloud, with other values, at another point of time.

`make test` runs one test of each behaviour and leaves these to `make test-all`. Each takes seconds, as most of them start Pulumi
several times. A name without parameters stands for the test with all of them.
"""

from __future__ import annotations

#: The file of the tests → their names, with or without parameters.
VARIANTS: dict[str, tuple[str, ...]] = {
    "tests/e2e/test_adopt.py": (
        "test_a_stack_comes_under_the_api_and_back_without_a_change_in_the_cloud[digitalocean]",
        "test_stacks_of_gke_come_under_the_api",
        "test_an_adoption_that_was_interrupted_continues",
    ),
    "tests/e2e/test_awaiting.py": (
        "test_an_upgrade_at_digitalocean_is_awaited_too",
        "test_scaling_the_default_pool_ends_when_its_nodes_are_active",
        "test_an_upgrade_ends_when_every_node_is_new",
    ),
    "tests/e2e/test_changes.py": (
        "test_a_change_is_planned_as_the_manual_says[CivoVpc-1]",
        "test_a_change_is_planned_as_the_manual_says[CivoKubernetesCluster-1]",
        "test_a_change_is_planned_as_the_manual_says[CivoKubernetesCluster-2]",
        "test_a_change_is_planned_as_the_manual_says[CivoKubernetesCluster-3]",
        "test_a_change_is_planned_as_the_manual_says[CivoKubernetesCluster-4]",
        "test_a_change_is_planned_as_the_manual_says[CivoKubernetesCluster-5]",
        "test_a_change_is_planned_as_the_manual_says[CivoKubernetesNodePool-1]",
        "test_a_change_is_planned_as_the_manual_says[CivoKubernetesNodePool-2]",
        "test_a_change_is_planned_as_the_manual_says[DigitalOceanVpc-1]",
        "test_a_change_is_planned_as_the_manual_says[DigitalOceanKubernetesCluster-1]",
        "test_a_change_is_planned_as_the_manual_says[DigitalOceanKubernetesCluster-2]",
        "test_a_change_is_planned_as_the_manual_says[DigitalOceanKubernetesCluster-3]",
        "test_a_change_is_planned_as_the_manual_says[DigitalOceanKubernetesCluster-4]",
        "test_a_change_is_planned_as_the_manual_says[DigitalOceanKubernetesNodePool-1]",
    ),
    "tests/e2e/test_checks.py": (
        "test_a_cluster_is_found_by_its_name_on_every_page",
        "test_lists_that_cannot_be_read_do_not_stop_an_apply[500]",
    ),
    "tests/e2e/test_commands.py": (
        "test_an_api_server_that_no_rule_opens_is_explained",
        "test_labels_choose_the_stack",
        "test_the_standalone_path_needs_no_account_in_the_environment",
        "test_what_refers_to_a_network_uses_its_credential",
    ),
    "tests/e2e/test_controller_kills.py": ("test_a_controller_that_was_killed_anywhere_is_continued_by_another",),
    "tests/e2e/test_controllers.py": (
        "test_a_pool_comes_up_scales_is_repaired_and_goes[digitalocean]",
        "test_an_error_is_in_the_status_until_something_succeeds[digitalocean]",
        "test_a_suspended_controller_begins_nothing_after_its_lease",
        "test_a_stop_hands_the_work_back_and_a_pause_holds",
        "test_what_a_deleted_cluster_leaves_in_the_cloud_is_reported",
        "test_controllers_beside_a_server_hand_their_work_back_before_it_stops[2-2]",
        "test_a_rotated_credential_is_used_by_the_work_that_waits_for_it[file]",
    ),
    "tests/e2e/test_default_pool.py": (
        "test_an_apply_recreates_it_and_touches_no_other_pool",
        "test_a_destroy_of_the_folder_ends_well[civo-False]",
        "test_a_destroy_of_the_folder_ends_well[digitalocean-False]",
        "test_a_destroy_of_the_folder_ends_well[digitalocean-True]",
    ),
    "tests/e2e/test_digitalocean.py": (
        "test_a_cluster_deleted_elsewhere_comes_back_with_its_pools",
        "test_a_cluster_may_upgrade_itself",
        "test_a_cluster_is_imported_with_its_additional_pools",
        "test_a_plan_of_an_update_makes_no_cluster_anew",
        "test_a_pool_costs_little_and_what_exists_is_imported",
        "test_an_autoscaled_default_pool_is_left_to_the_autoscaler_too",
        "test_the_autoscaler_keeps_what_it_has_decided",
        "test_upgrades_go_one_minor_at_a_time_and_never_back",
        "test_what_replaces_a_cluster_needs_consent_and_a_control_plane_stays_highly_available",
        "test_drift_is_shown_and_repaired_and_nothing_is_left_after_a_destroy",
    ),
    "tests/e2e/test_digitalocean_provider.py": ("test_a_program_lives_on_the_engine_as_with_the_official_plugin",),
    "tests/e2e/test_environment.py": ("test_a_home_that_is_not_the_accounts_changes_nothing",),
    "tests/e2e/test_faults.py": (
        "test_kill_in_the_middle_of_a_creation_makes_nothing_twice[planton]",
        "test_a_signal_saves_what_was_done_and_the_next_run_resumes[SIGHUP+SIGHUP]",
        "test_a_signal_saves_what_was_done_and_the_next_run_resumes[SIGINT+SIGTERM]",
        "test_a_signal_saves_what_was_done_and_the_next_run_resumes[SIGTERM+SIGTERM]",
        "test_what_is_adopted_is_planned_and_needs_consent",
        "test_an_orphan_is_found_although_the_manifest_has_another_name_by_now",
        "test_a_failed_update_is_followed_by_a_refresh",
        "test_a_refresh_that_meets_errors_never_drops_a_resource[0]",
    ),
    "tests/e2e/test_folders.py": (
        "test_an_interruption_reaches_all_that_goes_on",
        "test_pools_are_destroyed_before_their_cluster",
    ),
    "tests/e2e/test_gcp.py": (
        "test_the_sdk_creates_repairs_scales_upgrades_and_destroys_the_example",
        "test_what_exists_is_imported_by_id_and_by_name",
        "test_another_kind_of_machine_needs_consent_to_a_replacement",
        "test_settings_that_leave_the_manifests_are_reset",
        "test_the_autoscaler_keeps_its_number_of_nodes",
    ),
    "tests/e2e/test_kills.py": (
        "test_an_apply_that_was_killed_anywhere_is_done_by_the_next_one[end]",
        "test_a_destroy_that_was_killed_anywhere_is_done_by_the_next_one[lock]",
    ),
    "tests/e2e/test_leftovers.py": (
        "test_digitalocean_keeps_what_the_user_does_not_name",
        "test_a_plan_says_what_a_replaced_or_pruned_cluster_leaves_behind",
    ),
    "tests/e2e/test_lifecycle.py": (
        "test_each_changeable_field_of_a_cluster_is_changed_in_place",
        "test_firewall_rules_and_name_change_in_place",
        "test_a_folder_whose_cluster_was_deleted_elsewhere_comes_back_with_one_apply",
        "test_existing_resources_are_imported_and_the_next_plan_is_empty",
        "test_a_network_deleted_elsewhere_blocks_nothing[refresh-no range]",
        "test_a_network_deleted_elsewhere_blocks_nothing[refresh-range]",
        "test_a_network_deleted_elsewhere_blocks_nothing[destroy-no range]",
        "test_a_network_deleted_elsewhere_blocks_nothing[destroy-range]",
        "test_a_network_deleted_elsewhere_blocks_nothing[apply-no range]",
        "test_environment_comes_up_in_order_of_references_and_goes_in_reverse",
    ),
    "tests/e2e/test_ownership.py": (
        "test_a_destroy_lists_what_a_lost_answer_created_and_deletes_exactly_that[digitalocean]",
        "test_without_a_look_at_the_cloud_the_outputs_are_those_of_the_last_apply",
    ),
    "tests/e2e/test_readme.py": (
        "test_a_page_does_what_it_shows[docs/operate/controllers.md]",
        "test_a_page_does_what_it_shows[docs/use/getting-started.md]",
        "test_the_demo_ends_as_it_should",
    ),
    "tests/e2e/test_recipes.py": ("test_a_pull_request_is_planned_applied_and_watched[gitlab]",),
    "tests/e2e/test_replacement.py": (
        "test_a_new_name_keeps_the_old_pool_until_the_new_one_is_there[digitalocean]",
        "test_a_replacement_whose_answer_was_lost_is_completed[civo-destroy]",
        "test_a_replacement_whose_answer_was_lost_is_completed[digitalocean-apply]",
        "test_a_replacement_whose_answer_was_lost_is_completed[digitalocean-destroy]",
    ),
    "tests/e2e/test_scaling.py": ("test_the_controller_follows_load_pending_pods_and_bounds[digitalocean]",),
    "tests/e2e/test_screens.py": (
        "test_an_apply_on_a_terminal[60]",
        "test_colours_and_movements_can_be_turned_off",
        "test_the_screens_of_commands[120]",
    ),
    "tests/e2e/test_seed_004.py": (
        "test_an_existing_cluster_is_adopted_by_project_location_and_name",
        "test_what_gke_lacks_is_in_the_status_in_its_own_words",
    ),
    "tests/e2e/test_standalone.py": (
        "test_the_examples_make_a_cluster_and_scale_its_pool[digitalocean]",
        "test_an_imported_resource_keeps_its_provider_and_needs_no_change[civo-vpc]",
        "test_an_imported_resource_keeps_its_provider_and_needs_no_change[civo-firewall]",
        "test_an_imported_resource_keeps_its_provider_and_needs_no_change[digitalocean-vpc]",
        "test_an_imported_resource_keeps_its_provider_and_needs_no_change[digitalocean-kubernetes_cluster]",
        "test_an_imported_resource_keeps_its_provider_and_needs_no_change[digitalocean-kubernetes_node_pool]",
        "test_an_imported_resource_keeps_its_provider_and_needs_no_change[civo-kubernetes_cluster]",
    ),
    "tests/e2e/test_state.py": ("test_a_passphrase_is_changed_where_the_states_are",),
    "tests/e2e/test_takeover.py": (
        "test_an_apply_that_was_killed_in_a_create_call_is_finished_by_another_machine[digitalocean]",
        "test_a_controller_that_was_killed_in_a_create_call_is_continued_on_another_machine",
    ),
    "tests/server/test_process.py": ("test_kill[sqlite]",),
    # Requests of hypothesis to the schemas, in tests/server/test_openapi.py, find the same in a tenth of the time.
    "tests/server/test_schemathesis.py": ("test_schemathesis_finds_nothing",),
    "tests/server/test_timers.py": ("test_one_replica_does_the_work[sqlite]",),
    "tests/server/test_work_processes.py": ("test_work_of_dead_and_standing_processes_moves[sqlite]",),
    "tests/server/test_work_runners.py": (
        "test_a_rolling_upgrade_and_a_downgrade_strand_no_work[sqlite]",
        "test_the_limits_of_accounts_clusters_and_processes_hold_together[sqlite-2]",
        "test_an_outage_of_the_database_stops_runs_in_time_and_loses_no_work[sqlite]",
    ),
    "tests/server/test_workers.py": ("test_a_stream_tells_what_another_worker_wrote[sqlite]",),
}


def is_variant(path: str, name: str) -> bool:
    """Returns whether a test is one of them.

    Args:
        path: Its file, relative to the root of the project.
        name: Its name, with its parameters.
    """
    return name in (names := VARIANTS.get(path, ())) or name.partition("[")[0] in names
