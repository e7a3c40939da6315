tribecast_unit_test(utf8 utf8.cc LINK tribecast_base)
tribecast_unit_test(config_scan config_scan.cc LINK tribecast_config)
tribecast_unit_test(config_values config_values.cc LINK tribecast_config)
tribecast_unit_test(config_parse config_parse.cc LINK tribecast_config)
tribecast_unit_test(config_text config_text.cc LINK tribecast_config)
tribecast_unit_test(config_load config_load.cc LINK tribecast_config)
tribecast_unit_test(config_live config_live.cc LINK tribecast_config)
tribecast_unit_test(config_found config_found.cc LINK tribecast_config)
tribecast_unit_test(config_roster config_roster.cc LINK tribecast_config)
tribecast_unit_test(config_compare config_compare.cc LINK tribecast_config)

# What is generated from the settings table is up to date: if not, build the target `docs`.
add_test(NAME docs.configuration COMMAND sh -c
  "$<TARGET_FILE:tribecast_config_reference> | cmp - ${PROJECT_SOURCE_DIR}/docs/configuration.md")
set_tests_properties(docs.configuration PROPERTIES LABELS unit)
tribecast_unit_test(config_init config_init.cc LINK tribecast_config)
