# fish completion for tribecast-engine
complete -c tribecast-engine -f
complete -c tribecast-engine -l config -r -F -d 'configuration file'
complete -c tribecast-engine -l user -x -a '(__fish_complete_users)' -d 'user to become; needed when started as root'
complete -c tribecast-engine -l check -d 'only read the configuration, and name its mistakes'
complete -c tribecast-engine -l help -d 'how it is used'
complete -c tribecast-engine -l version -d 'the version'
