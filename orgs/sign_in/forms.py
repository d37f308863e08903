"""allauth's forms in our words: sentence case, and no placeholder that repeats the label."""

from typing import Any

from allauth.account import forms

from orgs.forms import PASSWORD_HELP

LABELS = {
    "login": "E-mail address",
    "email": "E-mail address",
    "oldpassword": "Current password",
    "password1": "New password",
    "password2": "New password again",
}


class InOurWords:
    fields: dict[str, Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)
            if name == "password1":
                field.help_text = PASSWORD_HELP
            elif name in ("password", "oldpassword"):
                # A link to a new password; the sign-in page has it behind the form, out of the way of the tab key.
                field.help_text = ""


class LoginForm(InOurWords, forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["login"].widget.attrs["autofocus"] = True


class ChangePasswordForm(InOurWords, forms.ChangePasswordForm): ...  # type: ignore[misc]


class SetPasswordForm(InOurWords, forms.SetPasswordForm): ...  # type: ignore[misc]


class ResetPasswordForm(InOurWords, forms.ResetPasswordForm): ...  # type: ignore[misc]


class ResetPasswordKeyForm(InOurWords, forms.ResetPasswordKeyForm): ...  # type: ignore[misc]


class ReauthenticateForm(InOurWords, forms.ReauthenticateForm): ...  # type: ignore[misc]
