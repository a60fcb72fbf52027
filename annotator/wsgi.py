import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")
application = get_wsgi_application()

if os.environ.get("WINNOW_SUPERVISED"):
    from annotator.supervising import die_with_parent

    die_with_parent()
