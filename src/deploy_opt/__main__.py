"""Run the command line as ``python -m deploy_opt``."""

from deploy_opt.cli import main

main()
