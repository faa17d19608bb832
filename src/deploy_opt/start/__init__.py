"""Make a folder with a scenario that runs: the sample city, or an agency's own CAD export."""

from deploy_opt.start.from_cad import init_from_cad as init_from_cad
from deploy_opt.start.sample import init_sample_city as init_sample_city
from deploy_opt.start.sample import sample_scenario_text as sample_scenario_text
