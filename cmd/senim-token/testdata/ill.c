/* A driver for tests: SoftHSM2 with tokens that are ill by their labels. Of "broken" nothing can be read, "mute" opens
   no session, and all the while it talks on its standard error. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "pkcs11go.h"

static CK_FUNCTION_LIST mine, *real;

static CK_RV info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR p)
{
	CK_RV rv = real->C_GetTokenInfo(slot, p);
	fprintf(stderr, "chatter of the driver\n");
	return rv == CKR_OK && !memcmp(p->label, "broken ", 7) ? CKR_DEVICE_ERROR : rv;
}

static CK_RV session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR app, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR out)
{
	CK_TOKEN_INFO p;
	if (real->C_GetTokenInfo(slot, &p) == CKR_OK && !memcmp(p.label, "mute ", 5))
		return CKR_DEVICE_ERROR;
	return real->C_OpenSession(slot, flags, app, notify, out);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out)
{
	void *lib = dlopen(SOFTHSM, RTLD_NOW);
	CK_C_GetFunctionList get = lib ? (CK_C_GetFunctionList) dlsym(lib, "C_GetFunctionList") : NULL;
	CK_RV rv = get ? get(&real) : CKR_GENERAL_ERROR;
	if (rv != CKR_OK)
		return rv;
	mine = *real;
	mine.C_GetTokenInfo = info;
	mine.C_OpenSession = session;
	*out = &mine;
	return CKR_OK;
}
